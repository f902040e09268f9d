//! A name server that says what a test wants, and something else the next time.
use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A name server that ends with the process.
pub(crate) struct Names {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Names {
    /// Answers the n-th question (from 0) for the addresses of any name with those of `addresses`.
    pub(crate) fn start(addresses: impl Fn(&str, usize) -> Vec<IpAddr> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let asked = Arc::<AtomicUsize>::default();
        let names = Self { address: socket.local_addr().unwrap(), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut packet) {
                let (name, end) = name(&packet[..length]);
                let of_6 = packet[end + 1] == 28;
                let number = asked.load(Ordering::SeqCst);
                let found: Vec<IpAddr> =
                    addresses(&name, number).into_iter().filter(|ip| ip.is_ipv6() == of_6).collect();
                if !found.is_empty() {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                // How it ends is the client's affair.
                let _ = socket.send_to(&answer(&packet[..end + 4], &found), client);
            }
        });
        names
    }

    /// How often it had an address to give.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The name that a question is about, and where it ends.
fn name(packet: &[u8]) -> (String, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while packet[at] != 0 {
        let end = at + 1 + usize::from(packet[at]);
        labels.push(String::from_utf8_lossy(&packet[at + 1..end]).into_owned());
        at = end;
    }
    (labels.join("."), at + 1)
}

/// RFC 1035, section 4: with the question, and addresses that are good for no time at all.
fn answer(question: &[u8], addresses: &[IpAddr]) -> Vec<u8> {
    let count = u8::try_from(addresses.len()).unwrap();
    let mut packet = [&question[..2], &[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0], &question[12..]].concat();
    for address in addresses {
        let (kind, bytes) = match address {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (28, address.octets().to_vec()),
        };
        packet.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, u8::try_from(bytes.len()).unwrap()]);
        packet.extend(bytes);
    }
    packet
}

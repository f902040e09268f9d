//! Servers that cost time: none more than the limit of one request, and all together no more than the deadline.
use super::{ask, bearer, check, check_within, is_present, listing, open, plain, with};
use pullgate::{
    http::Failure,
    lab::{Behaviour, Registry, Scope},
    registry::{Answer, Error, HostOptions, Options},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// How much later an answer may come on a busy machine, in a build without optimization.
const SLACK: Duration = Duration::from_millis(1500);

/// A server that does this with every connection, once a request has come.
fn raw(serve: fn(TcpStream) -> std::io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                // It ends when the other side has had enough.
                let _ = serve(stream);
            });
        }
    });
    address
}

/// What is made of an image of that server, with one second for a request and two for everything.
fn ask_raw(address: SocketAddr, options: HostOptions) -> Result<Answer, Error> {
    let hosts = [(address.to_string(), options)].into();
    let options = Options { hosts, request_timeout: Duration::from_secs(1), ..Options::default() };
    let start = Instant::now();
    let checked = check_within(options, &[format!("{address}/team/app:1")], Duration::from_secs(2)).remove(0);
    assert!(start.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", start.elapsed());
    checked
}

fn is_outage(checked: &Result<Answer, Error>) -> bool {
    let broken = |failure: &Failure| matches!(failure, Failure::Broken(_));
    match checked {
        Err(Error::Timeout { .. } | Error::Deadline) => true,
        Err(Error::Unreachable { failure, .. }) => broken(failure),
        _ => false,
    }
}

#[test]
fn a_socket_that_never_answers_is_given_up_after_the_limit_of_one_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let checked = ask_raw(address, plain());
    assert_eq!(checked, Err(Error::Timeout { host: address.to_string() }));
}

#[test]
fn a_socket_that_never_shakes_hands_is_given_up_after_the_limit_of_one_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let checked = ask_raw(address, HostOptions { plain_http: false, ..plain() });
    assert!(matches!(checked, Err(Error::Timeout { .. } | Error::Unreachable { .. })), "{checked:?}");
}

#[test]
fn a_host_that_never_takes_the_connection_is_given_up_after_three_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: once the queue is full, the kernel answers no more.
    let queue: Vec<_> =
        (0..5000).map_while(|_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()).collect();
    let options = Options { hosts: [(address.to_string(), plain())].into(), ..Options::default() };
    let start = Instant::now();
    let checked = check(options, &[format!("{address}/team/app:1")]).remove(0);
    assert_eq!(checked, Err(Error::Unreachable { host: address.to_string(), failure: Failure::Silent }));
    let took = start.elapsed();
    assert!((Duration::from_millis(2900)..Duration::from_millis(4500)).contains(&took), "{took:?}");
    drop(queue);
}

#[test]
fn headers_that_come_one_byte_a_time_are_given_up() {
    let address = raw(|mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ")?;
        loop {
            stream.write_all(b"x")?;
            thread::sleep(Duration::from_millis(50));
        }
    });
    assert_eq!(ask_raw(address, plain()), Err(Error::Timeout { host: address.to_string() }));
}

#[test]
fn headers_without_end_are_given_up() {
    let address = raw(|mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            stream.write_all(b"X-Endless: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")?;
        }
    });
    let checked = ask_raw(address, plain());
    assert!(is_outage(&checked), "{checked:?}");
}

#[test]
fn one_header_without_end_is_given_up() {
    let address = raw(|mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Endless: ")?;
        loop {
            stream.write_all(&[b'x'; 16 * 1024])?;
        }
    });
    let checked = ask_raw(address, plain());
    assert!(is_outage(&checked), "{checked:?}");
}

#[test]
fn answers_that_are_still_to_come_without_end_are_given_up() {
    // Some thousands a second: as many as can be would test how fast a build without optimization reads them.
    let address = raw(|mut stream| {
        loop {
            stream.write_all(&b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(20))?;
            thread::sleep(Duration::from_millis(2));
        }
    });
    let checked = ask_raw(address, plain());
    assert!(is_outage(&checked), "{checked:?}");
}

#[test]
fn what_is_no_http_is_an_outage() {
    let address = raw(|mut stream| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"));
    let checked = ask_raw(address, plain());
    assert!(is_outage(&checked), "{checked:?}");
}

#[test]
fn a_body_that_drips_is_given_up() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    registry.misbehave("team/app", Behaviour::SlowBody(Duration::from_millis(100)));
    let mut options = listing(&registry, plain());
    options.request_timeout = Duration::from_millis(300);
    let checked = check(options, &[format!("{}/team/app:1", registry.host())]).remove(0);
    assert!(matches!(checked, Err(Error::Timeout { .. })), "{checked:?}");
}

/// For an image of a registry that never gets to its end.
#[track_caller]
fn takes_no_longer_than_the_deadline(registry: &Registry) {
    let image = format!("{}/team/app:1", registry.host());
    let start = Instant::now();
    let checked = check_within(listing(registry, plain()), &[image], Duration::from_secs(2)).remove(0);
    assert_eq!(checked, Err(Error::Deadline));
    assert!(start.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", start.elapsed());
}

#[test]
fn a_body_of_one_byte_a_second_takes_no_longer_than_the_deadline() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    registry.misbehave("team/app", Behaviour::SlowBody(Duration::from_secs(1)));
    takes_no_longer_than_the_deadline(&registry);
}

#[test]
fn a_token_of_one_byte_a_second_takes_no_longer_than_the_deadline() {
    let registry = with(bearer());
    registry.push("team/app", "1");
    registry.misbehave(Scope::token(), Behaviour::SlowBody(Duration::from_secs(1)));
    takes_no_longer_than_the_deadline(&registry);
}

#[test]
fn a_body_of_ten_megabytes_is_more_than_a_runtime_takes() {
    let registry = open();
    let body = format!("{{\"schemaVersion\":2,\"x\":\"{}\"}}", "x".repeat(10_000_000));
    registry.push_manifest("team/app", "1", "application/vnd.oci.image.manifest.v1+json", &body);
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    let checked = ask(&registry, plain(), "team/app:1");
    let Ok(Answer::Blocked { message }) = checked else { panic!("{checked:?}") };
    assert!(message.contains("containerd takes no more than 4393216"), "{message}");
}

#[test]
fn a_complaint_without_end_is_still_a_no() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::EndlessBody);
    let checked = ask(&registry, plain(), "team/app:2");
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
}

#[test]
fn a_token_without_end_is_none() {
    let registry = with(bearer());
    registry.push("team/app", "1");
    registry.misbehave(Scope::token(), Behaviour::EndlessBody);
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn of_five_thousand_images_all_are_named_at_the_deadline() {
    let registry = open();
    registry.push("a", "1");
    registry.misbehave("b", Behaviour::Hang);
    let image = |name: &str, tag: usize| format!("{}/{name}:{tag}", registry.host());
    let images: Vec<String> = [image("a", 1)].into_iter().chain((0..5000).map(|tag| image("b", tag))).collect();
    let mut options = listing(&registry, plain());
    options.request_timeout = Duration::from_secs(60);
    let start = Instant::now();
    let checked = check_within(options, &images, Duration::from_secs(2));
    assert!(start.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", start.elapsed());
    assert!(is_present(&checked[0]));
    assert!(checked[1..].iter().all(|checked| *checked == Err(Error::Deadline)));
}

#[test]
fn five_thousand_absent_images_with_long_names_take_no_longer_than_the_deadline() {
    let registry = open();
    let tag = |n: usize| format!("{}{n:04}", "x".repeat(120));
    (0..1000).for_each(|n| drop(registry.push("a", &tag(n))));
    let images: Vec<String> = (1000..6000).map(|n| format!("{}/a:{}", registry.host(), tag(n))).collect();
    let start = Instant::now();
    let checked = check_within(listing(&registry, plain()), &images, Duration::from_secs(2));
    assert!(start.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", start.elapsed());
    assert!(checked.iter().all(|checked| matches!(checked, Ok(Answer::Absent { .. }) | Err(Error::Deadline))));
}

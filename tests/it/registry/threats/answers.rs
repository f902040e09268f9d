//! Answers of HTTP/1.1 that no registry gives.
use super::{
    super::{
        check_within,
        instruments::{Bytes, Wire},
        plain,
    },
    Checked, unverified,
};
use pullgate::registry::Options;
use std::{
    io, thread,
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_millis(1500);

/// The answer about an image by its digest, and that it came in time.
#[track_caller]
fn asked(server: &Bytes, image: &str) -> Checked {
    let options = Options { hosts: [(server.host(), plain())].into(), ..Options::default() };
    let started = Instant::now();
    let checked = check_within(options, &[format!("{}/{image}", server.host())], DEADLINE).remove(0);
    assert!(started.elapsed() < DEADLINE + Duration::from_millis(500), "{:?}", started.elapsed());
    checked
}

/// Says 404 to HEAD, and to GET what `get` writes.
fn getting(get: impl Fn(&mut dyn Wire) -> io::Result<()> + Send + Sync + 'static) -> Bytes {
    Bytes::answering(move |head, wire| match head.starts_with("HEAD") {
        true => wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        false => get(wire),
    })
}

fn drip(wire: &mut dyn Wire, text: &[u8]) -> io::Result<()> {
    for byte in text.iter().cycle() {
        wire.write_all(&[*byte])?;
        wire.flush()?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[test]
fn a_head_that_drips_is_given_up_at_the_deadline() {
    unverified(&asked(&Bytes::answering(|_, wire| drip(wire, b"HTTP/1.1 200 OK\r\nx: ")), "app:1"));
}

#[test]
fn a_body_that_drips_is_given_up_at_the_deadline() {
    let server = getting(|wire| {
        wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n")?;
        drip(wire, b" ")
    });
    unverified(&asked(&server, "app:1"));
}

#[test]
fn a_body_without_end_is_given_up_at_its_limit() {
    let server = getting(|wire| {
        wire.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            wire.write_all(&[b' '; 4096])?;
        }
    });
    let _ =
        asked(&server, "app:1").map(|answer| assert!(!matches!(answer, pullgate::registry::Answer::Present { .. })));
}

#[test]
fn a_body_that_is_shorter_than_it_says_is_no_answer() {
    let server = getting(|wire| {
        wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4000\r\n\r\n{\"errors\":[]}")?;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    unverified(&asked(&server, "app:1"));
}

#[test]
fn a_packed_body_is_not_unpacked() {
    // An empty stored block: what a bomb begins with.
    let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\0\0\xff\xff\x03\0\0\0\0\0\0\0\0\0";
    let server = getting(move |wire| {
        write!(wire, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len())?;
        wire.write_all(packed)
    });
    unverified(&asked(&server, "app:1"));
    let heads = server.heads();
    assert!(heads.iter().all(|head| head.contains("accept-encoding: identity\r\n")), "{heads:?}");
}

#[test]
fn headers_beyond_32_kib_are_no_answer() {
    let server = Bytes::answering(|_, wire| {
        write!(wire, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx: {}\r\n\r\n", "a".repeat(40_000))
    });
    unverified(&asked(&server, "app:1"));
    assert!(server.heads().len() <= 2, "it is not asked again: {}", server.heads().len());
}

#[test]
fn hundreds_of_headers_are_no_answer() {
    let server = Bytes::answering(|_, wire| {
        write!(wire, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n{}\r\n", "x: y\r\n".repeat(500))
    });
    unverified(&asked(&server, "app:1"));
}

#[test]
fn what_is_not_http_is_no_answer() {
    unverified(&asked(&Bytes::answering(|_, wire| wire.write_all(b"-ERR unknown command\r\n")), "app:1"));
}

#[test]
fn two_lengths_of_one_body_are_no_answer() {
    let server =
        getting(|wire| wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\ncontent-length: 20\r\n\r\n{}"));
    unverified(&asked(&server, "app:1"));
}

#[test]
fn interim_answers_without_end_are_given_up_at_the_deadline() {
    let server = Bytes::answering(|_, wire| {
        loop {
            wire.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n")?;
            thread::sleep(Duration::from_millis(5));
        }
    });
    unverified(&asked(&server, "app:1"));
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_taken_for_the_next() {
    // Two answers to one request: the second, a "yes", must not be read as that to the next.
    let server = Bytes::answering(|_, wire| {
        let no = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let yes =
            "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 0\r\n\r\n";
        write!(wire, "{no}{yes}")
    });
    let options = listing_of(&server);
    let images = ["a:1", "b:1"].map(|image| format!("{}/{image}", server.host()));
    for checked in check_within(options, &images, DEADLINE) {
        assert!(!super::super::is_present(&checked), "{checked:?}");
    }
}

fn listing_of(server: &Bytes) -> Options {
    Options { hosts: [(server.host(), plain())].into(), ..Options::default() }
}

//! Servers that misbehave in HTTP/2: what breaks off is asked again or cannot be told, and is never "absent".
use super::super::{
    Checked, check_within,
    instruments::{Bytes, Ca, Wire},
    is_present,
};
use pullgate::registry::{Answer, Options};
use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(2);
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
/// `:status: 404`, from the static table of RFC 7541.
const NOT_FOUND: &[u8] = &[0x8d];

/// RFC 9113, section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Headers, and whether they are the end of the answer.
fn headers(stream: u32, block: &[u8], last: bool) -> Vec<u8> {
    frame(1, 4 | u8::from(last), stream, block)
}

fn yes(stream: u32) -> Vec<u8> {
    let kind = b"application/vnd.oci.image.manifest.v1+json";
    let block = [&[0x88, 0x5f, u8::try_from(kind.len()).unwrap()], &kind[..]].concat();
    headers(stream, &block, true)
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(3, 0, stream, &code.to_be_bytes())
}

fn go_away(last: u32) -> Vec<u8> {
    frame(7, 0, 0, &[last.to_be_bytes(), 0_u32.to_be_bytes()].concat())
}

/// Answers each request with the frames of `answer`, which is given its stream and how many there were before it on any
/// connection; no frames end the connection.
fn speaking(ca: &Ca, answer: impl Fn(u32, usize) -> Vec<u8> + Send + Sync + 'static) -> Bytes {
    let asked = AtomicUsize::new(0);
    Bytes::connected(Some(&ca.certify()), move |wire| {
        wire.read_exact(&mut [0; 24])?;
        wire.write_all(&frame(4, 0, 0, &[]))?;
        loop {
            let (kind, flags, stream) = read(wire)?;
            match kind {
                1 => {
                    let frames = answer(stream, asked.fetch_add(1, Ordering::SeqCst));
                    wire.write_all(&frames)?;
                    if frames.is_empty() {
                        return Ok(());
                    }
                }
                4 if flags == 0 => wire.write_all(&frame(4, 1, 0, &[]))?,
                _ => {}
            }
            wire.flush()?;
        }
    })
}

fn read(wire: &mut dyn Wire) -> io::Result<(u8, u8, u32)> {
    let mut head = [0; 9];
    wire.read_exact(&mut head)?;
    let length = usize::from(head[1]) << 8 | usize::from(head[2]);
    wire.read_exact(&mut vec![0; length])?;
    Ok((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]])))
}

/// The answers about twenty images, in time.
fn asked(answer: impl Fn(u32, usize) -> Vec<u8> + Send + Sync + 'static) -> Vec<Checked> {
    let ca = Ca::new();
    let server = speaking(&ca, answer);
    let options = Options { hosts: [(server.host(), ca.listed())].into(), ..Options::default() };
    let images: Vec<String> = (0..20).map(|n| format!("{}/app-{n}:1", server.host())).collect();
    let started = Instant::now();
    let checked = check_within(options, &images, DEADLINE);
    assert!(started.elapsed() < DEADLINE + Duration::from_millis(500), "{:?}", started.elapsed());
    checked
}

#[track_caller]
fn all_are_unverified(checked: &[Checked]) {
    assert!(checked.iter().all(Result::is_err), "{checked:?}");
}

#[track_caller]
fn none_is_absent(checked: &[Checked]) {
    assert!(!checked.iter().any(|checked| matches!(checked, Ok(Answer::Absent { .. }))), "{checked:?}");
}

#[test]
fn a_server_that_behaves_is_believed() {
    assert!(asked(|stream, _| yes(stream)).iter().all(is_present));
}

#[test]
fn streams_that_are_reset_are_no_answer() {
    all_are_unverified(&asked(|stream, _| reset(stream, INTERNAL_ERROR)));
}

#[test]
fn a_stream_that_is_reset_once_costs_no_other_image() {
    let checked = asked(|stream, number| if number == 3 { reset(stream, INTERNAL_ERROR) } else { yes(stream) });
    none_is_absent(&checked);
    assert!(checked.iter().filter(|checked| is_present(checked)).count() >= 19, "{checked:?}");
}

#[test]
fn a_stream_that_is_refused_is_asked_again() {
    let checked = asked(|stream, number| if number % 2 == 1 { reset(stream, REFUSED_STREAM) } else { yes(stream) });
    none_is_absent(&checked);
    assert!(checked.iter().filter(|checked| is_present(checked)).count() >= 10, "{checked:?}");
}

#[test]
fn a_404_that_is_reset_before_its_end_is_no_answer() {
    all_are_unverified(&asked(|stream, _| [headers(stream, NOT_FOUND, false), reset(stream, INTERNAL_ERROR)].concat()));
}

#[test]
fn a_404_that_breaks_off_with_the_connection_is_no_answer() {
    all_are_unverified(&asked(|stream, _| [headers(stream, NOT_FOUND, false), go_away(stream)].concat()));
}

#[test]
fn a_connection_that_goes_away_midway_loses_no_image() {
    let checked = asked(|stream, number| match number {
        5 => go_away(stream.saturating_sub(2)),
        _ => yes(stream),
    });
    none_is_absent(&checked);
    assert!(checked.iter().filter(|checked| is_present(checked)).count() >= 5, "{checked:?}");
}

#[test]
fn a_connection_that_ends_midway_makes_no_image_absent() {
    none_is_absent(&asked(|stream, number| if number % 3 == 2 { Vec::new() } else { yes(stream) }));
}

#[test]
fn a_frame_that_is_longer_than_allowed_is_no_answer() {
    all_are_unverified(&asked(|stream, _| frame(0, 0, stream, &vec![0; 1 << 20])));
}

#[test]
fn headers_that_go_on_without_end_are_no_answer() {
    all_are_unverified(&asked(|stream, _| {
        let more = frame(9, 0, stream, &[&[0x00, 1, b'x', 0x7f, 0xe1, 0x3e], &[b'a'; 8_000][..]].concat());
        [frame(1, 0, stream, NOT_FOUND), more.repeat(100)].concat()
    }));
}

#[test]
fn pings_without_an_answer_are_given_up_at_the_deadline() {
    all_are_unverified(&asked(|_, _| frame(6, 0, 0, &[0; 8]).repeat(100)));
}

//! Addresses in an image's name: none but public ones are connected to unless the configuration says so.
use super::{one, refused};
use pullgate::registry::{Options, Refusal};

macro_rules! not_asked {
    ($($name:ident: $host:literal,)*) => {$(
        #[test]
        fn $name() {
            refused(&one(Options::default(), concat!($host, "/app:1")), Refusal::NoPublicAddress);
        }
    )*};
}

not_asked! {
    the_loopback_address_is_not_asked: "127.0.0.1",
    another_loopback_address_is_not_asked: "127.8.9.10",
    the_unspecified_address_is_not_asked: "0.0.0.0",
    this_network_is_not_asked: "0.1.2.3",
    the_metadata_service_is_not_asked: "169.254.169.254",
    private_class_a_is_not_asked: "10.0.0.1",
    private_class_b_is_not_asked: "172.16.0.1",
    private_class_c_is_not_asked: "192.168.1.1",
    carrier_grade_nat_is_not_asked: "100.64.0.1",
    protocol_assignments_are_not_asked: "192.0.0.1",
    benchmark_networks_are_not_asked: "198.18.0.1",
    multicast_is_not_asked: "224.0.0.1",
    reserved_addresses_are_not_asked: "240.0.0.1",
    broadcast_is_not_asked: "255.255.255.255",
    the_loopback_address_of_ipv6_is_not_asked: "[::1]",
    the_unspecified_address_of_ipv6_is_not_asked: "[::]",
    link_local_ipv6_is_not_asked: "[fe80::1]",
    unique_local_ipv6_is_not_asked: "[fd00::1]",
    multicast_ipv6_is_not_asked: "[ff02::1]",
    a_mapped_loopback_address_is_not_asked: "[::ffff:7f00:1]",
    a_compatible_loopback_address_is_not_asked: "[::7f00:1]",
    the_metadata_service_behind_nat64_is_not_asked: "[64:ff9b::a9fe:a9fe]",
    a_private_address_behind_6to4_is_not_asked: "[2002:a00:1::]",
    a_teredo_address_is_not_asked: "[2001:0:1::1]",
    a_hexadecimal_loopback_address_is_not_asked: "0x7f.1",
    an_octal_loopback_address_is_not_asked: "0177.0.0.1",
    a_short_loopback_address_is_not_asked: "127.1",
    a_decimal_loopback_address_is_not_asked: "2130706433:443",
    a_hexadecimal_metadata_service_is_not_asked: "0xa9fea9fe:443",
    the_name_of_this_machine_is_not_asked: "localhost",
}

#[test]
fn another_port_than_443_is_not_asked() {
    refused(&one(Options::default(), "gitea-db.example.com:5432/app:1"), Refusal::Port);
}

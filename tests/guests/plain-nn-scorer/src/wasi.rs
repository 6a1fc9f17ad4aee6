//! Resources of WASI, as many as are asked for. Only what is needed of its interfaces is declared.

mod bindings {
    #![allow(
        missing_docs,
        dead_code,
        clippy::undocumented_unsafe_blocks,
        unused_qualifications,
        reason = "generated"
    )]
    wit_bindgen::generate!({
        inline: "
            package test:hoarder;

            world hoarder {
                import wasi:cli/stdin@0.2.1;
                import wasi:cli/stdout@0.2.1;
                import wasi:cli/terminal-stdin@0.2.1;
                import wasi:cli/terminal-stdout@0.2.1;
                import wasi:clocks/monotonic-clock@0.2.1;
                import wasi:filesystem/preopens@0.2.1;
                import wasi:sockets/instance-network@0.2.1;
                import wasi:sockets/ip-name-lookup@0.2.1;
                import wasi:sockets/tcp-create-socket@0.2.1;
                import wasi:sockets/udp-create-socket@0.2.1;
            }

            package wasi:io@0.2.1 {
                interface poll {
                    resource pollable;
                }
                interface streams {
                    resource input-stream;
                    resource output-stream;
                }
            }

            package wasi:cli@0.2.1 {
                interface stdin {
                    use wasi:io/streams@0.2.1.{input-stream};
                    get-stdin: func() -> input-stream;
                }
                interface stdout {
                    use wasi:io/streams@0.2.1.{output-stream};
                    get-stdout: func() -> output-stream;
                }
                interface terminal-input {
                    resource terminal-input;
                }
                interface terminal-output {
                    resource terminal-output;
                }
                interface terminal-stdin {
                    use terminal-input.{terminal-input};
                    get-terminal-stdin: func() -> option<terminal-input>;
                }
                interface terminal-stdout {
                    use terminal-output.{terminal-output};
                    get-terminal-stdout: func() -> option<terminal-output>;
                }
            }

            package wasi:clocks@0.2.1 {
                interface monotonic-clock {
                    use wasi:io/poll@0.2.1.{pollable};
                    type duration = u64;
                    subscribe-duration: func(when: duration) -> pollable;
                }
            }

            package wasi:filesystem@0.2.1 {
                interface types {
                    resource descriptor;
                }
                interface preopens {
                    use types.{descriptor};
                    get-directories: func() -> list<tuple<descriptor, string>>;
                }
            }

            package wasi:sockets@0.2.1 {
                interface network {
                    resource network;
                    enum error-code {
                        unknown, access-denied, not-supported, invalid-argument, out-of-memory,
                        timeout, concurrency-conflict, not-in-progress, would-block,
                        invalid-state, new-socket-limit, address-not-bindable, address-in-use,
                        remote-unreachable, connection-refused, connection-reset,
                        connection-aborted, datagram-too-large, name-unresolvable,
                        temporary-resolver-failure, permanent-resolver-failure
                    }
                    enum ip-address-family { ipv4, ipv6 }
                }
                interface instance-network {
                    use network.{network};
                    instance-network: func() -> network;
                }
                interface ip-name-lookup {
                    use network.{network, error-code};
                    resource resolve-address-stream;
                    resolve-addresses: func(network: borrow<network>, name: string)
                        -> result<resolve-address-stream, error-code>;
                }
                interface tcp {
                    resource tcp-socket;
                }
                interface tcp-create-socket {
                    use network.{error-code, ip-address-family};
                    use tcp.{tcp-socket};
                    create-tcp-socket: func(address-family: ip-address-family)
                        -> result<tcp-socket, error-code>;
                }
                interface udp {
                    resource udp-socket;
                }
                interface udp-create-socket {
                    use network.{error-code, ip-address-family};
                    use udp.{udp-socket};
                    create-udp-socket: func(address-family: ip-address-family)
                        -> result<udp-socket, error-code>;
                }
            }
        ",
        world: "test:hoarder/hoarder",
        generate_all,
    });
}

use bindings::wasi::cli::{stdin, stdout, terminal_stdin, terminal_stdout};
use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::filesystem::preopens;
use bindings::wasi::sockets::{
    instance_network, ip_name_lookup, network, tcp_create_socket, udp_create_socket,
};

/// Asks for a resource so often, and keeps all. Returns how many there are, or why there are none.
pub fn hoard(resource: &str, times: u32) -> Result<u32, String> {
    let none = |what: &str| format!("no {what}");
    let refused = |code: network::ErrorCode| code.name().to_owned();
    let family = network::IpAddressFamily::Ipv4;
    match resource {
        "pollable" => super::keep(times, || Ok(monotonic_clock::subscribe_duration(1_000_000_000))),
        "input-stream" => super::keep(times, || Ok(stdin::get_stdin())),
        "output-stream" => super::keep(times, || Ok(stdout::get_stdout())),
        "terminal-input" => super::keep(times, || {
            terminal_stdin::get_terminal_stdin().ok_or_else(|| none("terminal"))
        }),
        "terminal-output" => super::keep(times, || {
            terminal_stdout::get_terminal_stdout().ok_or_else(|| none("terminal"))
        }),
        "descriptor" => super::keep(times, || {
            preopens::get_directories().pop().ok_or_else(|| none("directory"))
        }),
        "network" => super::keep(times, || Ok(instance_network::instance_network())),
        "resolve-address-stream" => {
            let network = instance_network::instance_network();
            super::keep(times, || {
                ip_name_lookup::resolve_addresses(&network, "localhost").map_err(refused)
            })
        }
        "tcp-socket" => {
            super::keep(times, || tcp_create_socket::create_tcp_socket(family).map_err(refused))
        }
        "udp-socket" => {
            super::keep(times, || udp_create_socket::create_udp_socket(family).map_err(refused))
        }
        other => return Err(format!("no such resource: {other}")),
    }
    .map(|[kept, ..]| kept as u32)
}

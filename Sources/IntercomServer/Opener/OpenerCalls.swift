// Messages between the daemon and its opener: one call and one reply, as Varlink messages with descriptors, on a
// connection of its own (SOCK_SEQPACKET).

import LinuxNet
import Registry
import SystemPackage
import Varlink

/// A call of the interface `intercom.Opener`.
protocol OpenerCall: Codable {
    associatedtype Reply: Codable

    /// True when the call takes locks of the namespace, which its root can hold, or reads a file of the container's: if it
    /// takes long, that is not the opener's fault.
    static var takesLocks: Bool { get }
}

extension OpenerCall {
    static var takesLocks: Bool { false }
    static var method: String { "\(OpenerCalls.interface).\(Self.self)" }
}

enum OpenerCalls {
    static let interface = "intercom.Opener"
    /// The longest message, in octets.
    static let maximumMessage = 64 * 1024
    /// The most octets that may wait in a socket of rtnetlink.
    static let maximumReceiveBuffer: Int32 = 64 << 20
    /// The most namespaces of one call: three descriptors of each come back, and a message carries 253 (SCM_MAX_FD, `scm.h`).
    static let maximumNamespaces = 16
    /// The most sockets that are made at once.
    static let maximumSockets = 64
    /// The most addresses whose questions are led to one listener, 127.0.0.11 included.
    static let maximumLedAddresses = Registry.Limits.interceptedAddresses + 1
    /// The most octets of a resolv.conf that is read: glibc has no limit, and real ones have some hundred.
    static let maximumResolverFile = 64 * 1024
    /// The most processes of one namespace in a reply.
    static let maximumInhabitants = 8
    /// The most processes in a reply.
    static let maximumProcesses = 128
    /// The most gates that are set in one call.
    static let maximumGatesAtOnce = 64
    /// The most gates of one call that lists or removes them.
    static let maximumGates = 1024
    /// The longest reply, in octets: such a file, each octet escaped.
    static let maximumReply = 2 * maximumResolverFile + 1024

    /// The namespace of a process comes as a descriptor.
    struct OpenProcess: OpenerCall {
        struct Reply: Codable {
            /// Clock ticks since the host started.
            var start: UInt64?
        }

        var pid: Int32
    }

    /// A socket of rtnetlink comes back that is subscribed to links and addresses.
    struct SubscribeKernel: OpenerCall {
        struct Reply: Codable {
            /// True when it covers all namespaces.
            var coversAll: Bool
            /// The host's namespace's number in itself.
            var hostNumber: Int32
        }

        /// Octets of notifications that may wait.
        var receiveBuffer: Int32
    }

    /// A UDP and a TCP socket come back that are bound to 127.0.0.11:53 in the opener's own namespace, the host's. But for them
    /// and those of ``OpenGatewayListener`` nothing is made there.
    struct OpenHostListener: OpenerCall {
        struct Reply: Codable {
            /// The namespace's SO_NETNS_COOKIE.
            var cookie: UInt64
        }
    }

    /// A UDP and a TCP socket come back that are bound to port 53 of an address in the opener's own namespace, and to the
    /// interface that has the address.
    struct OpenGatewayListener: OpenerCall {
        struct Reply: Codable {
            /// The namespace's SO_NETNS_COOKIE.
            var cookie: UInt64
        }

        /// A unicast address, none of the loopback interface's.
        var address: String
        /// `ifi_index`, from 1 on.
        var interface: UInt32
    }

    /// Goes with the descriptor of a namespace; a socket of rtnetlink comes back, and if a listener was asked for and could be
    /// made, a UDP and a TCP socket.
    struct OpenNamespace: OpenerCall {
        struct Reply: Codable {
            /// The namespace's SO_NETNS_COOKIE.
            var cookie: UInt64
            /// The number of the namespace in the host's; and of the host's in it, -1 where the kernel has given it none.
            var number: Int32
            var hostNumber: Int32
            /// Why there is no listener.
            var refusal: OpenerFailure?
        }

        /// On 127.0.0.11: no other address is bound. 0: any that is free. Absent: no listener is made.
        var port: UInt16?
        /// True when any other port will do where that one is taken.
        var orAnyPort: Bool?
        /// Octets of notifications that may wait in the socket of rtnetlink; absent: it answers only.
        var receiveBuffer: Int32?
    }

    /// Goes with the descriptors of namespaces, one for each call; what was made for each comes back in their order. At a start
    /// there are thousands, and a message for each costs more than what is made.
    struct OpenNamespaces: OpenerCall {
        struct Reply: Codable {
            var namespaces: [Opened]
        }

        /// Result of one call.
        struct Opened: Codable {
            /// Absent: ``failure`` says why, and no descriptor comes back.
            var reply: OpenNamespace.Reply?
            var failure: OpenerFailure?
        }

        /// At most ``maximumNamespaces``.
        var calls: [OpenNamespace]
    }

    /// Rules that refuse DNS of other servers.
    enum Lock: String, Codable {
        /// Questions are led, and those to other servers refused.
        case beside
        /// No question is led: those to other servers are refused.
        case only
    }

    /// Goes with the descriptor of a namespace; two sockets of nfnetlink come back: one is subscribed to changes of nftables,
    /// one writes the rules anew; and if a listener at ::1 was made, its UDP and its TCP socket.
    struct SetRedirection: OpenerCall {
        static let takesLocks = true

        struct Reply: Codable {
            /// Addresses that are led: those of the call but the namespace's own; absent: 127.0.0.11, or none where there is a lock
            /// only.
            var addresses: [String]?
            /// Port of the listener at ::1; absent: there is none.
            var v6Port: UInt16?
            /// The namespace's SO_NETNS_COOKIE, if that listener was made.
            var cookie: UInt64?
        }

        /// Port of the listener at 127.0.0.11.
        var port: UInt16
        /// Port of the listener at ::1; absent: there is none, and one is made for an IPv6 address.
        var v6Port: UInt16?
        /// Addresses whose port 53 is led to the listener, at most ``maximumLedAddresses``; absent: 127.0.0.11.
        var addresses: [String]?
        /// The way in which DNS of other servers is refused; absent: it is not.
        var lock: Lock?
    }

    /// Goes with the socket that writes.
    struct RepairRedirection: OpenerCall {
        static let takesLocks = true

        struct Reply: Codable {}

        var port: UInt16
        var v6Port: UInt16?
        var addresses: [String]?
        var lock: Lock?
    }

    /// Goes with the socket that writes.
    struct RemoveRedirection: OpenerCall {
        static let takesLocks = true

        struct Reply: Codable {}

        var port: UInt16
        var v6Port: UInt16?
        var addresses: [String]?
        var lock: Lock?
    }

    /// Goes with the descriptor of the process's namespace.
    struct ReadResolverFile: OpenerCall {
        /// A file system of the container's own may hang.
        static let takesLocks = true

        struct Reply: Codable {
            /// Absent: there is no such file.
            var text: String?
            /// True where the process has the opener's root directory.
            var isHosts: Bool?
        }

        var pid: Int32
    }

    /// Goes with the descriptor of a namespace; as many sockets come back.
    struct OpenSockets: OpenerCall {
        struct Reply: Codable {}

        var stream: Bool
        var v6: Bool
        var count: Int
        /// True gives them ``SocketMark/ownQuestion``; absent: false.
        var marked: Bool?
    }

    /// Goes with the descriptor of a namespace.
    struct FindServers: OpenerCall {
        /// Ports of the servers at 127.0.0.11, the oldest first; a few at most.
        struct Reply: Codable {
            var datagram: [UInt16]
            var stream: [UInt16]
        }
    }

    /// Goes with the descriptor of a namespace.
    struct FindListeners: OpenerCall {
        struct Reply: Codable {
            /// `0.0.0.0` and `::` for all; a few at most.
            var addresses: [String]
        }

        /// A TCP port, 1...65535.
        var port: UInt16
    }

    /// Goes with the descriptor of a namespace.
    struct FindHolders: OpenerCall {
        struct Reply: Codable {
            /// A few at most.
            var holders: [PortHolder]
        }

        /// A port of 127.0.0.11, 1...65535; absent: any.
        var port: UInt16?
    }

    /// Goes with the descriptor of a namespace.
    struct FindTranslation: OpenerCall {
        struct Reply: Codable {
            /// Absent: questions or connections go to the address itself.
            var translation: FoundTranslation?
        }

        /// An address whose port 53 programs there ask, or that they connect to.
        var address: String
        /// The port that they connect to by TCP, 1...65535; absent: they ask port 53 by UDP.
        var port: UInt16? = nil
    }

    /// Goes with the descriptor of a namespace.
    struct FindInhabitants: OpenerCall {
        struct Reply: Codable {
            /// The first few, by their numbers.
            var processes: [FoundProcess]
        }
    }

    struct FindProcesses: OpenerCall {
        struct Reply: Codable {
            /// By their numbers.
            var processes: [FoundProcess]
        }

        /// The process; absent: the first of each container of a runtime.
        var pid: Int32?
        /// Only processes with a higher number than this, if `pid` is absent.
        var after: Int32?
        /// True: instead of those of runtimes those that have no resolv.conf of `/etc/netns`.
        var withoutFile: Bool?
    }

    struct WriteResolverFile: OpenerCall {
        struct Reply: Codable {
            var isThere: Bool
        }

        /// The namespace's name in `/run/netns`.
        var name: String
        var search: [String]
        var options: [String]
    }

    /// Sets the gate of a container in the opener's own namespace, the host's: in tables that are called so alone.
    struct SetGate: OpenerCall {
        struct Reply: Codable {}

        /// SO_NETNS_COOKIE, not 0.
        var cookie: UInt64
        /// `ifi_index` of veths whose other ends are in other namespaces; at most 256.
        var devices: [UInt32]
        /// Those of devices that were its own; at most 256.
        var formerDevices: [UInt32]
        /// Blocks, as `10.1.0.0/24`; at most 4,096, as of `blocks`.
        var networks: [String]
        var blocks: [String]
        /// Addresses; at most 4,096.
        var sources: [String]
    }

    /// Sets several, all in one transaction.
    struct SetGates: OpenerCall {
        struct Reply: Codable {
            var outcomes: [Outcome]
        }

        /// Result of one.
        struct Outcome: Codable {
            /// Absent: it is in force.
            var failure: OpenerFailure?
        }

        /// At most ``maximumGatesAtOnce``.
        var gates: [SetGate]
    }

    struct RemoveGates: OpenerCall {
        struct Reply: Codable {}

        /// At most ``maximumGates``, as of `devices`.
        var cookies: [UInt64]
        var devices: [UInt32]
        /// True: all that there is.
        var all: Bool?
    }

    struct ListGates: OpenerCall {
        struct Reply: Codable {
            var cookies: [UInt64]
            var devices: [UInt32]
        }

        /// Namespaces up to this one are left out.
        var after: UInt64
    }

    /// A socket of nfnetlink comes back that is subscribed to changes of nftables in the host's namespace.
    struct MonitorGates: OpenerCall {
        struct Reply: Codable {}
    }

    /// A socket comes back that takes ``Admission``s.
    struct OpenAdmissions: OpenerCall {
        struct Reply: Codable {}
    }

    struct RemoveResolverFile: OpenerCall {
        struct Reply: Codable {}

        var name: String
    }
}

/// A ``LinuxError`` on its way from the opener.
struct OpenerFailure: Codable {
    static let name = "\(OpenerCalls.interface).Failed"

    var call: String
    var errno: Int32
    var subject: String?
    var kind: LinuxError.Kind

    init(_ error: LinuxError) {
        call = error.call
        errno = error.errno.rawValue
        subject = error.subject
        kind = error.kind
    }

    var error: LinuxError {
        LinuxError(call: call, errno: Errno(rawValue: errno), subject: subject, kind: kind)
    }
}

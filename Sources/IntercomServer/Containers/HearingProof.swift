// A proof that a listener is heard: whom it is about, and the questions that it takes.

import Attachment
import DNSWire
import LinuxNet
import Registry
import Tables

/// A container whose listener is to be proved to be heard.
struct HearingOrder {
    /// The errand of the room Attachment.
    let errand: ErrandNumber
    /// The view at whose listener the questions are to arrive.
    let view: ViewID
    let namespace: NamespaceIdentity
    let source: NamespaceSource
    /// The servers that its programs ask, with the path of questions to each. Each is asked over UDP and TCP.
    let servers: [(server: ServerAddress, path: Unheard.Path)]
    /// Takes ``Event/proofSent(_:)`` and, once, ``Event/proved(_:_:)``.
    let tell: (Event) -> Void
}

/// A question of a proof: to a server, over UDP or TCP.
struct HearingQuestion {
    let server: ServerAddress
    let path: Unheard.Path
    /// TCP; else UDP. Rules that lead one of them elsewhere may leave the other.
    let isStream: Bool
}

/// A proof that is under way. (Not private: swiftc 6.3 breaks on the metadata of a private type in a table.)
struct HearingProof: ~Copyable {
    let order: HearingOrder
    /// Questions that are still to be asked; the first one is being asked.
    var questions: ArraySlice<HearingQuestion>
    /// The first server that no question can go to, as there is no route.
    private(set) var unreached: Unheard?
    /// True when a server that the programs' file names has led to the listener.
    private var isHeardAtNamed = false
    /// The token of the question that is under way: 128 bits that nobody can guess.
    var token: UInt128 = 0
    /// The message's id (RFC 1035 §4.1.1).
    var id: UInt16 = 0
    /// The socket inside the namespace that sends the question.
    var socket: Descriptor?
    /// Octets that wait for the connection, or for room in it.
    var unsent: [UInt8] = []
    /// True until the socket is there.
    var isOpening = true

    init(_ order: HearingOrder) {
        self.order = order
        questions =
            order.servers.flatMap { server, path in
                [false, true].map { HearingQuestion(server: server, path: path, isStream: $0) }
            }[...]
    }
}

extension HearingProof {
    /// The question that was under way has arrived.
    mutating func noteArrival() {
        guard let question = questions.popFirst() else { return }
        if isNamed(question.server), question.isStream { isHeardAtNamed = true }
    }

    /// Leaves a server out that no question can go to: programs that ask it are told so at once, and ask the next. When there is a
    /// route, the rules lead to the listener.
    mutating func leaveOut(_ unheard: Unheard) {
        if unreached == nil { unreached = unheard }
        let server = questions.first?.server
        questions = questions.drop { $0.server == server }
    }

    /// The verdict when no question is left.
    var verdict: Hearing {
        if let unreached, !isHeardAtNamed { return .unheard(unreached) }
        return .heard
    }

    /// True for a server that its file names, but for 127.0.0.11, which is asked in any case: such servers are the first.
    private func isNamed(_ server: ServerAddress) -> Bool {
        !server.address.isLoopback
            && order.servers.prefix(ResolverAddresses.libcLimit).contains { $0.server == server }
    }

    /// Sends what waits, as far as that is possible.
    /// - Returns: true when all is sent; false while the connection is under way or full.
    mutating func flush() throws(LinuxError) -> Bool {
        switch socket {
        case .some(let socket):
            if let failure = TCPSocket.connectionResult(of: socket) { throw failure }
            while !unsent.isEmpty {
                guard let count = try socket.send(unsent.span) else { return false }
                unsent.removeFirst(count)
            }
        case .none: break
        }
        return true
    }

    /// Reason why the question was lost. One to a loopback address: `lo` is down, and the kernel takes it and drops it, or `lo` has
    /// no address, and it left by another link, from an address of that.
    var loss: Unheard.Cause {
        guard questions.first?.server.address.isLoopback == true else { return .noReply }
        switch socket {
        case .some(let socket):
            if (try? InterfaceName.isUp("lo", on: socket)) == false { return .loopbackDown }
            let source = (try? socket.localAddress())?.number ?? 0
            // 127.0.0.0/8 as ::ffff:0:0/96 has it, or ::1.
            return source >> 24 == 0xFFFF << 8 | 127 || source == 1 ? .noReply : .loopbackBare
        case .none: return .noReply
        }
    }
}

// What the forwarder asks of its owner, and what it says to a question.

package import DNSWire

/// What the owner of a `Forwarder` is to do next. Actions are to be done in the order in which they are given.
package enum Action<Client: Sendable>: Sendable {
    /// Connect a UDP socket on a random port to the address and send the message.
    case openDatagram(SocketToken, ServerAddress, from: Vantage, message: [UInt8])
    /// Connect a TCP socket to the address and send the message, its length in two octets before it already.
    case openStream(SocketToken, ServerAddress, from: Vantage, message: [UInt8])
    /// Send the message once more on a socket that is open.
    case send(SocketToken, message: [UInt8])
    /// Close the socket. Nothing is heard of this token again.
    case close(SocketToken)
    /// Give the client its answer.
    case answer(Client, Answer)
}

/// What becomes of a question at the door.
package enum Verdict: Sendable, Hashable {
    /// The client will get exactly one answer action, within 4.5 s, unless its namespace is abandoned before.
    case accepted
    /// The forwarder has forgotten the question already; the owner answers SERVFAIL.
    case refused(Refusal)
}

/// Why a question was not taken.
package enum Refusal: Sendable, Hashable {
    /// Too many questions of this namespace, or of all, wait for an answer.
    case tooMany
    /// The upstream group has no upstream.
    case noUpstreams
}

/// How many questions may wait at once.
package struct ForwardingLimits: Sendable, Hashable {
    /// Exchanges of one worker.
    package var worker: Int
    /// Waiting questions of one namespace.
    package var namespace: Int

    /// The limits; by default 1,024 a worker and 256 a namespace.
    package init(worker: Int = 1024, namespace: Int = 256) {
        self.worker = worker
        self.namespace = namespace
    }
}

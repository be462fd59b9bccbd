// Actions that the forwarder's owner carries out, and the verdict on a question.

package import DNSWire

/// The next thing that the owner of a ``Forwarder`` is to do. Actions are to be done in the order in which they are given.
package enum Action: Sendable {
    /// Connect a UDP socket on a random port to the address and send the message.
    case openDatagram(SocketToken, ServerAddress, from: Vantage, message: [UInt8])
    /// Connect a TCP socket to the address and send the message, its length in two octets before it already.
    case openStream(SocketToken, ServerAddress, from: Vantage, message: [UInt8])
    /// Send the message once more on a socket that is open.
    case send(SocketToken, message: [UInt8])
    /// Close the socket. Its token is not used again.
    case close(SocketToken)
    /// Give the client its answer.
    case answer(Client, Answer)
    /// Find out where the servers are that a view had before us: they cannot be reached where they were. It may come with
    /// each of many questions.
    case lookForServers(of: UInt32)
}

/// The verdict on a question that a client puts.
package enum Verdict: Sendable, Hashable {
    /// The client will get exactly one answer action, within the patience of its upstreams' list, unless its namespace is
    /// abandoned before.
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

/// Bounds of what may be under way at once.
package struct ForwardingLimits: Sendable, Hashable {
    /// Exchanges of one worker.
    package var worker: Int
    /// Exchanges of one worker, beyond which no answer is renewed before it expires: what nobody waits for leaves room for what
    /// somebody does.
    var renewing: Int { worker / 2 }
    /// Exchanges that one namespace waits for.
    package var namespace: Int
    /// Those who wait for one exchange, and those of one namespace who wait for exchanges of others.
    package var waiters: Int
    /// Datagram sockets of one worker; connections count, too.
    package var sockets: Int
    /// Datagram sockets that one namespace's questions have open.
    package var namespaceSockets: Int
    /// Datagram sockets of one namespace that still wait for a reply although their question has been answered.
    package var stragglers: Int

    /// The limits. By default a namespace may have all its questions at two upstreams at once, and a worker as many sockets
    /// as exchanges: with a worker for each of eight processors that is half of the ports that the kernel gives
    /// (ip_local_port_range, ip(7)).
    package init(
        worker: Int = 2048, namespace: Int = 256, waiters: Int = 1000, sockets: Int = 2048, namespaceSockets: Int = 512,
        stragglers: Int = 32
    ) {
        self.worker = worker
        self.namespace = namespace
        self.waiters = waiters
        self.sockets = sockets
        self.namespaceSockets = namespaceSockets
        self.stragglers = stragglers
    }
}

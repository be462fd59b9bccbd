// The dealings of one exchange with one upstream.

import Tables

/// One upstream in the order of an exchange: what was sent to it for this question, and what is still to be tried.
struct Contact: Sendable {
    let upstream: Ticket
    /// Datagrams with the question that were sent, repetitions included.
    var datagrams = 0
    /// The kernel said that datagrams do not reach it: refused, or no route.
    var isDatagramRefused = false
    /// It was asked over TCP; nil: not yet.
    var stream: StreamReason?
    /// It has failed, or will not answer this question: it is asked no more.
    var isSpent = false
    /// The list in force has it.
    var isListed = true

    /// Why an exchange turned to TCP.
    enum StreamReason: Sendable {
        /// Its datagram asked for that, or could not be used.
        case reply
        /// Datagrams to it were refused, or stayed without any reply.
        case silence
        /// It is known to answer over TCP alone, or resolv.conf has `use-vc`.
        case preference
    }

    /// Datagrams to one server with one question, before it counts as unresponsive over UDP (RFC 9520 §3.1: "three
    /// queries in total").
    static let maximumDatagrams = 3

    /// Nothing was sent to it yet.
    var isFresh: Bool { datagrams == 0 && stream == nil && !isDatagramRefused && !isSpent }

    /// UDP is of no use, and TCP was not tried.
    var isLeftToTCP: Bool { isDatagramRefused && stream == nil && !isSpent }
}

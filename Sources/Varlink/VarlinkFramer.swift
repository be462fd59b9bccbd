// Messages out of a stream: each is JSON and ends with a NUL (varlink.org, "Protocol").

/// A message that is too long to be taken.
package enum VarlinkFramerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no NUL within ``VarlinkFramer/maximumMessage`` octets. The stream is of no more use.
    case messageTooLong

    package var description: String { "a message is longer than \(VarlinkFramer.maximumMessage) octets" }
}

/// Cuts a stream of octets into messages, however they arrive.
package struct VarlinkFramer: Sendable {
    /// The most octets of a message, without its NUL: a part of a publication has some thousand containers.
    package static let maximumMessage = 2 << 20
    /// The most octets of a reply that other clients take, too.
    package static let maximumReply = 1 << 20

    private var octets: [UInt8] = []
    /// Start of the first message that was not given out.
    private var start = 0
    /// Start of the octets that were not searched for a NUL.
    private var searched = 0
    /// Ends of the complete messages.
    private var ends: [Int] = []
    private var nextEnd = 0
    /// True: a message that is too long is passed over up to its NUL, and given out as one without octets.
    private let skipsLongMessages: Bool
    /// True while the octets of such a message are passed over.
    private var isSkipping = false
    /// Ends of the messages that were passed over.
    private var skippedEnds: Set<Int> = []
    /// True when the message that ``next()`` gave out last was too long, and has been passed over.
    package private(set) var wasTooLong = false

    /// - Parameter skipsLongMessages: false: a message that is too long ends the stream.
    package init(skipsLongMessages: Bool = false) {
        self.skipsLongMessages = skipsLongMessages
    }

    /// Octets that are held: of messages that were not given out, and of one that is not complete.
    package var count: Int { octets.count - start }
    /// True when ``next()`` has a message.
    package var hasMessage: Bool { nextEnd < ends.count }
    /// True when a message has begun that is not complete.
    package var hasPart: Bool { isSkipping || octets.count > (ends.last.map { $0 + 1 } ?? start) }

    /// Takes what has arrived: the first `count` octets of a buffer.
    /// - Throws: ``VarlinkFramerError/messageTooLong``.
    package mutating func feed(_ buffer: [UInt8], _ count: Int) throws(VarlinkFramerError) {
        forgetGivenOut()
        octets.append(contentsOf: buffer[..<count])
        var messageStart = ends.last.map { $0 + 1 } ?? start
        while searched < octets.count {
            if octets[searched] == 0 {
                if isSkipping { skip(from: messageStart) }
                ends.append(searched)
                messageStart = searched + 1
            } else if searched - messageStart >= Self.maximumMessage {
                guard skipsLongMessages else { throw .messageTooLong }
                isSkipping = true
            }
            searched += 1
        }
        if isSkipping {
            octets.removeSubrange(messageStart...)
            searched = messageStart
        }
    }

    /// Drops the octets of a message that is too long, up to its NUL.
    private mutating func skip(from messageStart: Int) {
        octets.removeSubrange(messageStart..<searched)
        searched = messageStart
        skippedEnds.insert(searched)
        isSkipping = false
    }

    /// The next complete message, without its NUL; nil when more has to come.
    package mutating func next() -> [UInt8]? {
        guard nextEnd < ends.count else { return nil }
        let end = ends[nextEnd]
        nextEnd += 1
        wasTooLong = skippedEnds.remove(end) != nil
        defer { start = end + 1 }
        return Array(octets[start..<end])
    }

    /// Moves what is left to the front, once everything complete was given out: so each octet moves but once.
    private mutating func forgetGivenOut() {
        guard nextEnd == ends.count, start > 0 else { return }
        octets.removeSubrange(..<start)
        searched -= start
        start = 0
        ends.removeAll(keepingCapacity: true)
        nextEnd = 0
    }
}

// A message as a view over its octets.

/// Any message, in place: nothing is read before it is asked for.
public struct Message: ~Escapable {
    /// All octets.
    public let bytes: Span<UInt8>
    /// The first twelve of them.
    public let header: Header

    /// Throws ``WireError/truncated(offset:)`` for less than a header; all else is found out by reading it.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) throws(WireError) {
        guard let header = Header(bytes) else { throw .truncated(offset: 0) }
        self.bytes = bytes
        self.header = header
    }

    /// The first question; nil where there is none.
    public func firstQuestion() throws(WireError) -> Question? {
        guard header.questionCount > 0 else { return nil }
        return try question(at: Header.length)
    }

    /// All records, to be read one after another from the first answer on.
    public var records: RecordReader {
        @_lifetime(copy self)
        get { RecordReader(self) }
    }

    /// The question at an offset: the first is behind the header, each other at the ``Question/endOffset`` of the one before.
    public func question(at offset: Int) throws(WireError) -> Question {
        try Question(bytes, nameOffset: offset, nameEnd: LabelReader.skip(bytes, at: offset))
    }

    /// Goes through a message's records, section by section.
    public struct RecordReader: ~Escapable {
        private let bytes: Span<UInt8>
        private let header: Header
        private var cursor: RecordCursor?

        @_lifetime(copy message)
        init(_ message: Message) {
            bytes = message.bytes
            header = message.header
        }

        /// The next record; nil behind the last one that the header counts.
        public mutating func next() throws(WireError) -> ResourceRecord? {
            var cursor: RecordCursor
            if let known = self.cursor {
                cursor = known
            } else {
                var position = Header.length
                for _ in 0..<header.questionCount {
                    let nameEnd = try LabelReader.skip(bytes, at: position)
                    position = try Question(bytes, nameOffset: position, nameEnd: nameEnd).endOffset
                }
                cursor = RecordCursor(header, at: position)
            }
            let record = try cursor.next(bytes)
            self.cursor = cursor
            return record
        }
    }
}

// The second word of a message: what kind it is, and how it went.

/// The 16 bits of flags and codes in a header (RFC 1035 §4.1.1; AD and CD: RFC 4035 §3.1.6, §3.2.2).
public struct HeaderFlags: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16 = 0) {
        self.rawValue = rawValue
    }

    /// Those of a response: OPCODE, RD and CD as the query has them, RA set, AD clear.
    /// - Parameters:
    ///   - query: the flags of the query.
    ///   - aa: whether the answer is our own.
    ///   - code: of which the lower four bits are here.
    @inlinable
    public init(answering query: HeaderFlags, aa: Bool, _ code: ResponseCode) {
        rawValue = query.rawValue & 0x7910 | 0x8080 | (aa ? 0x0400 : 0) | code.rawValue & 0xF
    }

    /// Those of NOTIMP: the OPCODE is the query's, RD, RA and CD are clear, as they mean nothing for it.
    @inlinable
    public init(refusing opcode: OperationCode) {
        rawValue = 0x8000 | ResponseCode.notImplemented.rawValue & 0xF
        self.opcode = opcode
    }

    /// QR clear, and OPCODE is QUERY: a question to be answered.
    @inlinable public var isQuery: Bool { rawValue & 0xF800 == 0 }

    /// QR: a response, not a query.
    @inlinable public var isResponse: Bool {
        get { self[0x8000] }
        set { self[0x8000] = newValue }
    }
    /// AA: the answer is from an authority for the name.
    @inlinable public var aa: Bool {
        get { self[0x0400] }
        set { self[0x0400] = newValue }
    }
    /// TC: the answer did not fit; ask again over TCP.
    @inlinable public var tc: Bool {
        get { self[0x0200] }
        set { self[0x0200] = newValue }
    }
    /// RD: recursion desired.
    @inlinable public var rd: Bool {
        get { self[0x0100] }
        set { self[0x0100] = newValue }
    }
    /// RA: recursion available.
    @inlinable public var ra: Bool {
        get { self[0x0080] }
        set { self[0x0080] = newValue }
    }
    /// AD: all data in the answer are authentic, says the server.
    @inlinable public var ad: Bool {
        get { self[0x0020] }
        set { self[0x0020] = newValue }
    }
    /// CD: checking disabled: the client validates by itself.
    @inlinable public var cd: Bool {
        get { self[0x0010] }
        set { self[0x0010] = newValue }
    }

    /// OPCODE.
    @inlinable public var opcode: OperationCode {
        get { OperationCode(rawValue: UInt8(truncatingIfNeeded: rawValue >> 11)) }
        set { rawValue = rawValue & ~0x7800 | UInt16(newValue.rawValue) << 11 }
    }

    /// RCODE: the lower four bits of the response code; EDNS holds the others.
    @inlinable public var responseCode: ResponseCode {
        get { ResponseCode(rawValue: rawValue & 0xF) }
        set { rawValue = rawValue & ~0xF | newValue.rawValue & 0xF }
    }

    @inlinable subscript(mask: UInt16) -> Bool {
        get { rawValue & mask != 0 }
        set { rawValue = newValue ? rawValue | mask : rawValue & ~mask }
    }
}

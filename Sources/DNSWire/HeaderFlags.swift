// The second word of a message: what kind it is, and how it went.

/// The 16 bits of flags and codes in a header (RFC 1035 §4.1.1; AD and CD: RFC 4035 §3.1.6, §3.2.2).
public struct HeaderFlags: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    // One bit each, but for OPCODE and RCODE, which have four.
    @inlinable static var qrMask: UInt16 { 0x8000 }
    @inlinable static var opcodeMask: UInt16 { 0x7800 }
    @inlinable static var aaMask: UInt16 { 0x0400 }
    @inlinable static var tcMask: UInt16 { 0x0200 }
    @inlinable static var rdMask: UInt16 { 0x0100 }
    @inlinable static var raMask: UInt16 { 0x0080 }
    @inlinable static var adMask: UInt16 { 0x0020 }
    @inlinable static var cdMask: UInt16 { 0x0010 }
    @inlinable static var rcodeMask: UInt16 { 0x000F }

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
        let copied = query.rawValue & (Self.opcodeMask | Self.rdMask | Self.cdMask)
        rawValue = copied | Self.qrMask | Self.raMask | (aa ? Self.aaMask : 0) | code.rawValue & Self.rcodeMask
    }

    /// Those of NOTIMP: the OPCODE is the query's, RD, RA and CD are clear, as they mean nothing for it.
    @inlinable
    public init(refusing opcode: OperationCode) {
        rawValue = Self.qrMask | ResponseCode.notImplemented.rawValue & Self.rcodeMask
        self.opcode = opcode
    }

    /// QR clear, and OPCODE is QUERY: a question to be answered.
    @inlinable public var isQuery: Bool { rawValue & (Self.qrMask | Self.opcodeMask) == 0 }

    /// QR: a response, not a query.
    @inlinable public var isResponse: Bool {
        get { self[Self.qrMask] }
        set { self[Self.qrMask] = newValue }
    }
    /// AA: the answer is from an authority for the name.
    @inlinable public var aa: Bool {
        get { self[Self.aaMask] }
        set { self[Self.aaMask] = newValue }
    }
    /// TC: the answer did not fit; ask again over TCP.
    @inlinable public var tc: Bool {
        get { self[Self.tcMask] }
        set { self[Self.tcMask] = newValue }
    }
    /// RD: recursion desired.
    @inlinable public var rd: Bool {
        get { self[Self.rdMask] }
        set { self[Self.rdMask] = newValue }
    }
    /// RA: recursion available.
    @inlinable public var ra: Bool {
        get { self[Self.raMask] }
        set { self[Self.raMask] = newValue }
    }
    /// AD: all data in the answer are authentic, says the server.
    @inlinable public var ad: Bool {
        get { self[Self.adMask] }
        set { self[Self.adMask] = newValue }
    }
    /// CD: checking disabled: the client validates by itself.
    @inlinable public var cd: Bool {
        get { self[Self.cdMask] }
        set { self[Self.cdMask] = newValue }
    }

    /// OPCODE.
    @inlinable public var opcode: OperationCode {
        get { OperationCode(rawValue: UInt8(truncatingIfNeeded: rawValue >> 11)) }
        set { rawValue = rawValue & ~Self.opcodeMask | UInt16(newValue.rawValue) << 11 }
    }

    /// RCODE: the lower four bits of the response code; EDNS holds the others.
    @inlinable public var responseCode: ResponseCode {
        get { ResponseCode(rawValue: rawValue & Self.rcodeMask) }
        set { rawValue = rawValue & ~Self.rcodeMask | newValue.rawValue & Self.rcodeMask }
    }

    @inlinable subscript(mask: UInt16) -> Bool {
        get { rawValue & mask != 0 }
        set { rawValue = newValue ? rawValue | mask : rawValue & ~mask }
    }
}

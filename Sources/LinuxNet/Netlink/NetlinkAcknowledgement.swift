// End of a request: NLMSG_ERROR and NLMSG_DONE.

internal import CLinux
internal import SystemPackage

/// The end of a request: done, or refused.
package struct NetlinkAcknowledgement: Hashable, Sendable {
    /// 0, or an errno(3).
    package let errorNumber: Int32
    /// Text of the kernel (NETLINK_EXT_ACK).
    package let text: String?

    /// Reads NLMSG_ERROR or NLMSG_DONE: a number, negative where it is an error; then the request, or its header alone;
    /// then attributes.
    package init(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        let payload = message.payload
        guard payload.count >= 4 else {
            // A dump that ended well may say nothing at all.
            guard message.type == .done else { throw .truncatedPayload(message.type, octets: payload.count) }
            self.init(errorNumber: 0, text: nil)
            return
        }
        let number = Int32(bitPattern: payload.hostWord32(0))
        var text: String?
        if message.flags.contains(.hasAttributes) {
            var attributes = NetlinkAttributeReader(try Self.attributes(of: message))
            while let attribute = try attributes.next() {
                if attribute.isOf(NLMSGERR_ATTR_MSG.rawValue) { text = attribute.text }
            }
        }
        self.init(errorNumber: number == .min ? .max : abs(number), text: text)
    }

    init(errorNumber: Int32, text: String?) {
        self.errorNumber = errorNumber
        self.text = text
    }

    @_lifetime(copy message)
    private static func attributes(of message: borrowing NetlinkMessage) throws(NetlinkError) -> Span<UInt8> {
        let payload = message.payload
        if message.type == .done { return payload.extracting(droppingFirst: 4) }
        let headerEnd = 4 + NetlinkMessage.headerLength
        guard payload.count >= headerEnd else { throw .truncatedPayload(message.type, octets: payload.count) }
        // The request is there as a whole where it was refused, unless the header says otherwise.
        let isWhole = !message.flags.contains(.capped)
        let length = isWhole ? Int(payload.hostWord32(4)) : NetlinkMessage.headerLength
        guard length >= NetlinkMessage.headerLength, length <= payload.count - 4 else {
            throw .badMessageLength(length, octets: payload.count - 4)
        }
        return payload.extracting(droppingFirst: min(4 + netlinkAligned(length), payload.count))
    }
}

// The socket of nfnetlink that writes rules into one namespace, and reads nothing but the kernel's answers.

internal import CLinux
internal import SystemPackage

/// Carries out transactions of nftables in the namespace in which it was made, whatever thread uses it.
///
/// The kernel asks for CAP_NET_ADMIN over that namespace twice: when the socket was made, and of whoever sends. Its port says
/// in the kernel's notifications which changes were made by it, and nobody else has that port while this is open.
package struct NftablesWriter: ~Copyable, Sendable {
    /// Datagrams of one answer that are read: the kernel sends one for each request that it refuses, and an acknowledgement.
    private static let maximumAnswers = 64
    /// Octets of one answer: a header and a sentence. The request is not repeated in it (NETLINK_CAP_ACK).
    private static let answerLength = 8 * 1024

    /// The socket.
    package let descriptor: Descriptor

    /// A writer in the namespace that this thread is in.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables`` where the kernel has no nfnetlink.
    init() throws(LinuxError) {
        let made = try Self.makeSocket()
        // Errors come with words, and without the request that they are about.
        try made.setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        try made.setOption(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        descriptor = made
    }

    /// Takes over a writer that this or another process has made.
    package init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Takes over a descriptor that came from elsewhere.
    /// - Throws: ``LinuxError``: `invalidArgument` where it is anything but a socket of nfnetlink.
    package init(passed descriptor: consuming Descriptor) throws(LinuxError) {
        guard (try? descriptor.option(SOL_SOCKET, SO_DOMAIN)) == AF_NETLINK,
            (try? descriptor.option(SOL_SOCKET, SO_PROTOCOL)) == NETLINK_NETFILTER
        else { throw LinuxError(call: "nfnetlink", errno: .invalidArgument, subject: "the socket that was passed") }
        self.descriptor = descriptor
    }

    /// A non-blocking socket of nfnetlink that takes messages of the kernel alone.
    static func makeSocket() throws(LinuxError) -> Descriptor {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        do throws(LinuxError) {
            let made = Descriptor(
                adopting: try system("socket", "nfnetlink") { CLinux.socket(AF_NETLINK, type, NETLINK_NETFILTER) })
            try system("connect", "nfnetlink") { clinux_connect_netlink(made.rawValue) }
            return made
        } catch {
            guard error.errno == .protocolNotSupported else { throw error }
            throw LinuxError(
                call: "nftables", errno: error.errno,
                subject: "the kernel has no nfnetlink; load the module nf_tables, or use a kernel that has it",
                kind: .noNftables)
        }
    }

    /// The number by which notifications name this socket.
    var port: UInt32 { clinux_netlink_port(descriptor.rawValue) }

    /// Carries out a transaction. It never waits for an answer: the kernel gives it while it takes the request.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables`` where the kernel refuses; nothing has changed then.
    func commit(_ batch: NftablesBatch) throws(LinuxError) {
        let first = UInt32(truncatingIfNeeded: Entropy.word())
        let messages = batch.messages(from: first)
        let octets = messages.flatMap(\.bytes)
        guard try descriptor.send(octets.span, flags: .doNotWait) != nil else {
            throw LinuxError(call: "nftables", errno: .resourceTemporarilyUnavailable, subject: "no room to send")
        }
        var buffer = [UInt8](repeating: 0, count: Self.answerLength)
        var isDone = false
        for _ in 0..<Self.maximumAnswers {
            guard let answer = try take(into: &buffer) else { break }
            // An old answer, or one that the kernel did not give.
            let index = Int(answer.sequence &- first)
            guard answer.isKernels, messages.indices.contains(index) else { continue }
            guard answer.end.errorNumber == 0 else {
                throw Self.refusal(of: messages[index].name, answer.end)
            }
            isDone = true
        }
        guard isDone else { throw LinuxError(call: "nftables", errno: .noData, subject: "no answer from the kernel") }
    }

    /// Receives one answer; nil where there is no more.
    private func take(
        into buffer: inout [UInt8]
    ) throws(LinuxError) -> (isKernels: Bool, sequence: UInt32, end: NetlinkAcknowledgement)? {
        guard let (count, origin) = try receiveNetlink(descriptor, "nftables", into: &buffer) else { return nil }
        do throws(NetlinkError) {
            var reader = NetlinkReader(buffer.span.extracting(first: count))
            guard let message = try reader.next(), message.type == .error else {
                return (false, 0, NetlinkAcknowledgement(errorNumber: 0, text: nil))
            }
            return (origin.port == 0, message.sequence, try NetlinkAcknowledgement(message))
        } catch {
            throw LinuxError(call: "nftables", errno: .badMessage, subject: "\(error)")
        }
    }

    private static func refusal(of request: String, _ answer: NetlinkAcknowledgement) -> LinuxError {
        let errno = Errno(rawValue: answer.errorNumber)
        let words = answer.text.map { " (\($0))" } ?? ""
        let cure =
            switch errno {
            case .notPermitted:
                "; a program in the namespace owns the table (NFT_TABLE_F_OWNER): end it; or CAP_NET_ADMIN is missing"
            case .argListTooLong:
                "; the namespace has as many chains at this hook as the kernel allows: remove some"
            case .noSuchFileOrDirectory, .notSupported, .addressFamilyNotSupported, .protocolNotSupported:
                "; load the modules nf_tables, nft_chain_nat, nf_conntrack and, for a lock, nft_reject_inet, or use a kernel that has them"
            default: ""
            }
        return LinuxError(
            call: "nftables", errno: errno, subject: "\(request): \(errno)\(words)\(cure)", kind: .noNftables)
    }
}

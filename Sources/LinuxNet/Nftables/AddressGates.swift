// The gates of all containers in this process's own namespace: written, filled with addresses, listed.

internal import CLinux
internal import SystemPackage

/// Writes the gates in the namespace of the thread that made it: the host's. It touches tables called ``AddressGate/table`` alone.
package struct AddressGates: ~Copyable, Sendable {
    private let writer: NftablesWriter

    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables`` where the kernel has no nfnetlink.
    package init() throws(LinuxError) {
        let made = try NftablesWriter()
        // A transaction is one message, and a gate of many blocks is longer than what a socket sends by default.
        try made.descriptor.setOption(SOL_SOCKET, SO_SNDBUFFORCE, Self.sendBuffer)
        writer = made
    }

    /// Octets of the longest transaction; the kernel doubles it.
    private static let sendBuffer: Int32 = 8 << 20

    // MARK: - Gates

    /// Puts a gate into force in place of the one that the container had; addresses in its sets stay.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables`` where the kernel refuses; nothing has changed then.
    package func set(_ gate: AddressGate) throws(LinuxError) { try set([gate]) }

    /// Puts gates into force together, or none: a transaction costs the kernel more than a gate.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables`` where the kernel refuses one; nothing has changed then.
    package func set(_ gates: [AddressGate]) throws(LinuxError) { try writer.commit(AddressGate.batch(of: gates)) }

    /// Removes the gates of containers, whether they are there or not.
    /// - Throws: ``LinuxError``, as where a gate is set.
    package func remove(cookies: [UInt64], devices: [UInt32]) throws(LinuxError) {
        try writer.commit(AddressGate.removal(of: cookies, devices: devices))
    }

    /// Removes the tables with all that is in them.
    /// - Throws: ``LinuxError``, as where a gate is set.
    package func removeAll() throws(LinuxError) { try writer.commit(AddressGate.removalOfAll) }

    // MARK: - Addresses

    /// An address that a container may reach, for a time.
    package struct Entry: Hashable, Sendable {
        /// In network order, 4 or 16 octets.
        package let octets: [UInt8]
        /// Seconds from now on.
        package let seconds: UInt32
        /// True where a name of ours or of the operator's leads to it: it may be the host's.
        package let isOwn: Bool

        package init(octets: [UInt8], seconds: UInt32, isOwn: Bool) {
            self.octets = octets
            self.seconds = seconds
            self.isOwn = isOwn
        }

        /// The set that it belongs into.
        fileprivate var told: AddressGate.Told { AddressGate.Told(isV6: octets.count == 16, isOwn: isOwn) }
    }

    /// The fewest addresses that make room at once.
    private static let fewestRemoved = 64

    /// Puts addresses into the sets of a container, each for its time from now on. If a set is full, those that would be gone the
    /// soonest make room.
    /// - Returns: true where some made room.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables`` where the kernel refuses, as it does where the container has no
    ///   gate; nothing has changed then, or addresses have made room.
    package func admit(_ entries: [Entry], to cookie: UInt64) throws(LinuxError) -> Bool {
        do throws(LinuxError) {
            try put(entries, cookie)
            return false
        } catch  where error.errno == .tooManyOpenFilesInSystem {
            for told in AddressGate.Told.allCases {
                let count = entries.count { $0.told == told }
                if count > 0 { try makeRoom(for: count, in: AddressGate.set(cookie, told)) }
            }
            try put(entries, cookie)
            return true
        }
    }

    /// Elements of one transaction: a list of an attribute has at most 65,535 octets, and each element is in three.
    private static let elementsAtOnce = 512

    private func put(_ entries: [Entry], _ cookie: UInt64) throws(LinuxError) {
        for told in AddressGate.Told.allCases {
            var rest = entries.filter { $0.told == told }[...]
            while !rest.isEmpty {
                var batch = NftablesBatch()
                batch.put(
                    rest.prefix(Self.elementsAtOnce).map { NftablesElement(key: $0.octets, seconds: $0.seconds) },
                    into: AddressGate.set(cookie, told), AddressGate.family, table: AddressGate.table)
                try writer.commit(batch)
                rest = rest.dropFirst(Self.elementsAtOnce)
            }
        }
    }

    private func makeRoom(for count: Int, in set: String) throws(LinuxError) {
        // One that ends meanwhile is no reason to fail.
        let elements = try elements(of: set).filter { $0.milliseconds > 2000 }
        guard elements.count + count > AddressGate.capacity else { return }
        var soonest = elements.sorted { $0.milliseconds < $1.milliseconds }
            .prefix(max(elements.count + count - AddressGate.capacity, Self.fewestRemoved))
        while !soonest.isEmpty {
            var batch = NftablesBatch()
            batch.remove(
                soonest.prefix(Self.elementsAtOnce).map { NftablesElement(key: $0.key, seconds: 0) }, from: set,
                AddressGate.family, table: AddressGate.table)
            try writer.commit(batch)
            soonest = soonest.dropFirst(Self.elementsAtOnce)
        }
    }

    // MARK: - Listing

    /// Gates that are there.
    package struct Listing: Hashable, Sendable {
        /// Namespaces of containers, in order.
        package var cookies: [UInt64] = []
        /// Indexes of the host's ends of links, in order.
        package var devices: [UInt32] = []

        package init(cookies: [UInt64] = [], devices: [UInt32] = []) {
            self.cookies = cookies
            self.devices = devices
        }
    }

    /// Lists the gates that are there, by the names of their chains.
    package static func list() throws(LinuxError) -> Listing {
        var cookies: Set<UInt64> = []
        var devices: Set<UInt32> = []
        try dump("NFT_MSG_GETCHAIN", NFT_MSG_GETCHAIN, AddressGate.family) { _ in
        } each: { attributes throws(NetlinkError) in
            var attributes = attributes
            var (table, name) = ("", "")
            while let attribute = try attributes.next() {
                if attribute.isOf(NFTA_CHAIN_TABLE.rawValue) { table = attribute.text }
                if attribute.isOf(NFTA_CHAIN_NAME.rawValue) { name = attribute.text }
            }
            guard table == AddressGate.table else { return }
            if name.hasPrefix("d-") {
                if let device = UInt32(name.dropFirst(2)) { devices.insert(device) }
            } else if let cookie = UInt64(name.dropFirst(2), radix: 16) {
                cookies.insert(cookie)
            }
        }
        return Listing(cookies: cookies.sorted(), devices: devices.sorted())
    }

    private func elements(of set: String) throws(LinuxError) -> [(key: [UInt8], milliseconds: UInt64)] {
        try Self.elements(of: set)
    }

    private static func elements(of set: String) throws(LinuxError) -> [(key: [UInt8], milliseconds: UInt64)] {
        var elements: [(key: [UInt8], milliseconds: UInt64)] = []
        try dump("NFT_MSG_GETSETELEM", NFT_MSG_GETSETELEM, AddressGate.family) {
            $0.append(attribute: NFTA_SET_ELEM_LIST_TABLE.rawValue, text: AddressGate.table)
            $0.append(attribute: NFTA_SET_ELEM_LIST_SET.rawValue, text: set)
        } each: { attributes throws(NetlinkError) in
            var attributes = attributes
            while let attribute = try attributes.next() {
                guard attribute.isOf(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) else { continue }
                var list = attribute.nested
                while let element = try list.next() {
                    if let element = try Self.element(element.nested) { elements.append(element) }
                }
            }
        }
        return elements
    }

    private static func element(
        _ attributes: consuming NetlinkAttributeReader
    ) throws(NetlinkError) -> (key: [UInt8], milliseconds: UInt64)? {
        var key: [UInt8] = []
        var milliseconds: UInt64 = 0
        while let attribute = try attributes.next() {
            if attribute.isOf(NFTA_SET_ELEM_KEY.rawValue) {
                var data = attribute.nested
                while let value = try data.next() {
                    guard value.isOf(NFTA_DATA_VALUE.rawValue) else { continue }
                    key = (0..<value.value.count).map { value.value[$0] }
                }
            } else if attribute.isOf(NFTA_SET_ELEM_EXPIRATION.rawValue) {
                milliseconds = (0..<attribute.value.count).reduce(0) { $0 << 8 | UInt64(attribute.value[$1]) }
            }
        }
        return key.isEmpty ? nil : (key, milliseconds)
    }

    // MARK: - Dumps

    /// Octets of one datagram of a dump: the kernel fills pages, at most 32 KiB (NLMSG_GOODSIZE, netlink_dump).
    private static let dumpLength = 64 * 1024
    /// Datagrams of one dump that are read: tens of thousands of objects.
    private static let maximumDatagrams = 4096

    /// Asks the kernel for all objects of a kind in the namespace of this thread, and calls `each` with the attributes of each.
    private static func dump(
        _ name: String, _ type: nf_tables_msg_types, _ family: Int32, _ body: (inout NetlinkRequest) -> Void,
        each: (consuming NetlinkAttributeReader) throws(NetlinkError) -> Void
    ) throws(LinuxError) {
        let socket = try NftablesWriter.makeSocket()
        let number = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(truncatingIfNeeded: type.rawValue)
        var request = NetlinkRequest(name, number, flags: .dump, isAcknowledged: false)
        request.append(fixed: [UInt8(truncatingIfNeeded: family), UInt8(NFNETLINK_V0), 0, 0])
        body(&request)
        request.sequence = 1
        guard try socket.send(request.bytes.span, flags: .doNotWait) != nil else {
            throw LinuxError(call: "nftables", errno: .resourceTemporarilyUnavailable, subject: "no room to send")
        }
        var buffer = [UInt8](repeating: 0, count: dumpLength)
        var hasEnded = false
        var refusal: Errno?
        for _ in 0..<maximumDatagrams {
            guard let (count, origin) = try receiveNetlink(socket, "nftables", into: &buffer) else { break }
            guard origin.port == 0 else { continue }
            do throws(NetlinkError) {
                var reader = NetlinkReader(buffer.span.extracting(first: count))
                while let message = try reader.next() {
                    if message.type == .done {
                        hasEnded = true
                        break
                    }
                    if message.type == .error {
                        // Without the table there is nothing of its.
                        let errno = Errno(rawValue: try NetlinkAcknowledgement(message).errorNumber)
                        refusal = [Errno(rawValue: 0), .noSuchFileOrDirectory].contains(errno) ? nil : errno
                        hasEnded = true
                        break
                    }
                    try each(try NetlinkAttributeReader(message, behind: MemoryLayout<nfgenmsg>.size))
                }
            } catch {
                throw LinuxError(call: "nftables", errno: .badMessage, subject: "\(name): \(error)")
            }
            if let refusal { throw LinuxError(call: "nftables", errno: refusal, subject: name, kind: .noNftables) }
            if hasEnded { return }
        }
        throw LinuxError(call: "nftables", errno: .noData, subject: "\(name): no end of the answer")
    }
}

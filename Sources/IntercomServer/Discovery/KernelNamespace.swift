// The links and addresses of one namespace, kept up by what the kernel tells and by dumps.

import LinuxNet

/// Links and addresses of one namespace. Only those that can matter are kept; a message that changes nothing gives
/// false.
struct KernelNamespace: Sendable {
    /// The most links, and the most addresses, that are kept of a container: its root makes as many as it likes, and each
    /// change costs time in proportion. A DNS answer over TCP has room for 4,000 addresses.
    static let containerLimit = 1024

    /// The most links and the most addresses; nil: all, as for the host.
    let limit: Int?
    /// True when there were more: only the first are known.
    var isTruncated = false
    private var addressCount = 0
    /// By their numbers.
    private(set) var links: [UInt32: KernelLink] = [:]
    /// The usable addresses of each link that has any; the link itself may be told of later.
    private(set) var addresses: [UInt32: Set<KernelAddress>] = [:]
    /// While a dump goes on: what was known before it, and was not told of since.
    private var unseen: (links: Set<UInt32>, addresses: [UInt32: Set<KernelAddress>])?

    init(limit: Int? = nil) {
        self.limit = limit
    }

    private func isFull(_ count: Int) -> Bool { limit.map { count >= $0 } ?? false }

    // MARK: - Changes

    /// Takes in a link.
    /// - Returns: what was known of it, if it has changed.
    mutating func take(_ link: KernelLink, _ index: UInt32) -> (hasChanged: Bool, old: KernelLink?) {
        unseen?.links.remove(index)
        guard links[index] != nil || !isFull(links.count) else {
            isTruncated = true
            return (false, nil)
        }
        let old = links.updateValue(link, forKey: index)
        return (old != link, old)
    }

    /// Takes out a link and its addresses.
    /// - Returns: what was known of it.
    mutating func remove(link index: UInt32) -> KernelLink? {
        unseen?.links.remove(index)
        unseen?.addresses[index] = nil
        addressCount -= addresses.removeValue(forKey: index)?.count ?? 0
        return links.removeValue(forKey: index)
    }

    /// Takes in an address, or takes it out if it is not usable.
    /// - Returns: whether that changed something.
    mutating func take(_ message: AddressMessage) -> Bool {
        guard message.isUsable else { return remove(message) }
        let address = KernelAddress(message)
        unseen?.addresses[message.link]?.remove(address)
        if isFull(addressCount), addresses[message.link]?.contains(address) != true {
            isTruncated = true
            return false
        }
        let isNew = addresses[message.link, default: []].insert(address).inserted
        if isNew { addressCount += 1 }
        return isNew
    }

    /// Takes out an address.
    /// - Returns: whether there was one.
    mutating func remove(_ message: AddressMessage) -> Bool {
        remove(KernelAddress(message), of: message.link)
    }

    private mutating func remove(_ address: KernelAddress, of link: UInt32) -> Bool {
        unseen?.addresses[link]?.remove(address)
        guard addresses[link]?.remove(address) != nil else { return false }
        addressCount -= 1
        if addresses[link]?.isEmpty == true { addresses[link] = nil }
        return true
    }

    // MARK: - Dumps

    /// From now on everything is told that there is.
    mutating func beginDump() {
        unseen = (Set(links.keys), addresses)
        isTruncated = false
    }

    /// Everything was told: what was not is gone.
    /// - Returns: the links that are gone, and those that have lost addresses.
    mutating func endDump() -> (links: [UInt32: KernelLink], addresses: Set<UInt32>) {
        guard let unseen else { return ([:], []) }
        self.unseen = nil
        var affected: Set<UInt32> = []
        for (link, addresses) in unseen.addresses {
            for address in addresses where remove(address, of: link) { affected.insert(link) }
        }
        var gone: [UInt32: KernelLink] = [:]
        for index in unseen.links { gone[index] = remove(link: index) }
        return (gone, affected)
    }
}

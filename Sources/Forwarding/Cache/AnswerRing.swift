// The memory of cached answers: a ring of octets, of which the oldest go first.

/// Room for entries of any size in one piece of memory, which is taken as it is needed.
///
/// Entries are never split: one that does not fit before the end of the memory goes to its beginning.
struct AnswerRing: Sendable {
    /// Entries begin and end at multiples of this many octets.
    static let alignment = 8
    /// No less memory is taken at once: a page of the kernel's.
    private static let page = 4096

    /// The number of an entry at a place, as the index has it.
    @inline(__always)
    static func number(of place: Int) -> Int { place / alignment }

    /// The place of the entry with this number.
    @inline(__always)
    static func place(of number: Int) -> Int { number &* alignment }

    var octets: [UInt8] = []
    let capacity: Int
    /// Offset at which the next entry goes.
    private var head = 0
    /// Offset of the oldest entry.
    private var tail = 0
    /// The end of the entries that lie before the end of the memory, while others lie at its beginning already.
    private var end: Int?

    /// - Parameter capacity: octets; at most 32 GiB are used.
    init(capacity: Int) {
        self.capacity = min(capacity, Int(UInt32.max) * Self.alignment) & ~(Self.alignment - 1)
    }

    var isEmpty: Bool { end == nil && head == tail }

    /// The offset of the oldest entry; nil where there is none.
    var oldest: Int? { isEmpty ? nil : tail }

    /// Takes the oldest entry away, which has this size; its octets stay as they are until the next entry comes.
    mutating func dropOldest(_ size: Int) {
        tail += size
        if tail == end {
            tail = 0
            end = nil
        }
        if isEmpty {
            head = 0
            tail = 0
        }
    }

    /// Takes room for an entry behind the youngest, and gives its offset; nil where the oldest must go first.
    mutating func reserve(_ size: Int) -> Int? {
        if end == nil, capacity - head < size {
            end = head
            head = 0
        }
        let limit = end == nil ? capacity : tail
        guard limit - head >= size else { return nil }
        let offset = head
        head += size
        if octets.count < head { grow(to: head) }
        return offset
    }

    private mutating func grow(to count: Int) {
        if octets.capacity < count {
            // Halves of the capacity, so that old and new together never take more than the capacity.
            var room = capacity
            while room / 2 >= max(count, Self.page) { room /= 2 }
            octets.reserveCapacity(room)
        }
        octets.append(contentsOf: repeatElement(0, count: count - octets.count))
    }

    /// The offset of the entry behind the one that lies at an offset and has this size; nil behind the youngest.
    func next(_ offset: Int, size: Int) -> Int? {
        var next = offset + size
        if next == end { next = 0 }
        return next == head ? nil : next
    }

    /// Moves octets to where they may overlap with themselves, from lower to higher offsets.
    mutating func move(from source: Int, to target: Int, _ count: Int) {
        guard source != target else { return }
        for index in 0..<count { octets[target + index] = octets[source + index] }
    }
}

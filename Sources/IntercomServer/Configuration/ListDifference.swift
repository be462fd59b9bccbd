// The difference of two lists of declarations, as a reload goes from one to the other.

/// Elements of two lists that are not in both. No key is twice in a list; the order of a list does not count.
///
/// It takes time in proportion to the lists: a configuration may declare thousands of containers.
struct ListDifference<Element: Equatable> {
    /// Elements whose key the new list does not have, in the old order.
    private(set) var removed: [Element] = []
    /// Elements of the old list that the new one has otherwise, in the old order.
    private(set) var replaced: [Element] = []
    /// Elements of the new list that the old one does not have, or has otherwise, in the new order.
    private(set) var declared: [Element] = []

    /// - Parameters:
    ///   - old: the list before.
    ///   - new: the list that holds now.
    ///   - key: identifies an element in both.
    init<Key: Hashable>(from old: [Element], to new: [Element], by key: (Element) -> Key) {
        let later = Dictionary(new.map { (key($0), $0) }) { first, _ in first }
        var unchanged: Set<Key> = []
        for element in old {
            let key = key(element)
            switch later[key] {
            case nil: removed.append(element)
            case element?: unchanged.insert(key)
            case _?: replaced.append(element)
            }
        }
        declared = new.filter { !unchanged.contains(key($0)) }
    }
}

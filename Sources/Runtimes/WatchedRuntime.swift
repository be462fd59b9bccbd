// A runtime that is read as a whole, each time that something in it has changed.

package import LinuxNet
package import RuntimeWire

/// A runtime whose containers and networks are read all at once. A reading takes time in proportion to all of them, so it is for
/// runtimes whose sources are small: a few files, a few calls.
package protocol WatchedRuntime: AnyObject {
    /// Name of the source, as `podman`.
    static var source: String { get }

    /// Has the poller wait for changes. It is called before each wait: what is watched may have been replaced.
    /// - Parameters:
    ///   - poller: wakes up at a change.
    ///   - firstToken: the least of the numbers that its events may carry.
    /// - Throws: `LinuxError`.
    func watch(by poller: Poller, firstToken: UInt64) throws(LinuxError)

    /// Takes events; true when a reading may be another one than the last.
    /// - Throws: `LinuxError`.
    func hasChanged() throws(LinuxError) -> Bool

    /// Reads everything.
    func read() -> RuntimeReading
}

/// One reading of a runtime.
package struct RuntimeReading: Equatable, Sendable {
    /// Containers and networks that could be read.
    package var contents: Publication
    /// Sentences about parts that could not be read.
    package var failures: [String]
    /// False where nothing could be read: containers that were published stay.
    package var isWhole: Bool

    /// A reading.
    /// - Parameters:
    ///   - contents: what could be read.
    ///   - failures: sentences about the rest.
    ///   - isWhole: false where nothing could be read.
    package init(_ contents: Publication, failures: [String] = [], isWhole: Bool = true) {
        self.contents = contents
        self.failures = failures
        self.isWhole = isWhole
    }

    /// A reading of a runtime that cannot be read.
    package init(failure: String) {
        self.init(Publication(), failures: [failure], isWhole: false)
    }
}

// Descriptors that the service manager hands to a service when it starts: sockets that activate it, and what it has
// stored, sd_listen_fds(3).

internal import CSystemd
package import LinuxNet

/// A descriptor with the name that it was given in the unit (`FileDescriptorName=`) or when it was stored (`FDNAME=`).
package struct NamedDescriptor: ~Copyable {
    /// Name in the manager's store (`FDNAME=`).
    package let name: String
    /// The descriptor itself, ours from now on.
    package let descriptor: Descriptor

    package init(name: String, descriptor: consuming Descriptor) {
        self.name = name
        self.descriptor = descriptor
    }

    /// Lets go of the name.
    package consuming func takeDescriptor() -> Descriptor { descriptor }
}

/// Descriptors that the manager passed. Each is taken once; those that are not taken are closed.
package struct InheritedDescriptors: ~Copyable {
    private var names: ArraySlice<String>
    private var number: Int32

    /// Takes over what is there, close-on-exec. The process has it once: a second time there is nothing.
    ///
    /// It changes the environment, so no other thread may be there yet.
    /// - Throws: ``SystemdError`` when the environment makes no sense.
    package init() throws(SystemdError) {
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = nil
        // It allocates an array of as many strings as it returns, ended by nil; both are freed below.
        let count = try checked("sd_listen_fds") { unsafe sd_listen_fds_with_names(1, &list) }
        var names: [String] = []
        for index in 0..<Int(count) {
            let name = unsafe list?[index]
            names.append(unsafe name.map { unsafe String(cString: $0) } ?? "")
            unsafe free(name)
        }
        unsafe free(list)
        self.names = names[...]
        number = SD_LISTEN_FDS_START
    }

    /// The next one; nil when there is none left.
    package mutating func next() -> NamedDescriptor? {
        guard let name = names.popFirst() else { return nil }
        defer { number += 1 }
        return NamedDescriptor(name: name, descriptor: Descriptor(adopting: number))
    }

    deinit {
        for offset in 0..<Int32(names.count) { _ = Descriptor(adopting: number + offset) }
    }
}

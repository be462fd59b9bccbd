// Network interfaces by name and number, netdevice(7).

internal import CLinux

/// The names of the interfaces in a namespace.
package enum InterfaceName {
    /// The number of an interface in the namespace of a socket, whatever thread asks (netdevice(7) SIOCGIFINDEX), or a
    /// number as it is written.
    /// - Throws: ``LinuxError`` when there is no such interface.
    package static func index(of name: String, on socket: borrowing Descriptor) throws(LinuxError) -> UInt32 {
        if let number = UInt32(name), number > 0 { return number }
        // The name is a string that the shim copies, bounded by IFNAMSIZ.
        let index = try system("ioctl SIOCGIFINDEX", name) {
            unsafe clinux_interface_index(socket.rawValue, name)
        }
        return UInt32(truncatingIfNeeded: index)
    }

    /// True when an interface in the namespace of a socket is up (netdevice(7) SIOCGIFFLAGS).
    /// - Throws: ``LinuxError`` when there is no such interface.
    package static func isUp(_ name: String, on socket: borrowing Descriptor) throws(LinuxError) -> Bool {
        // The name is a string that the shim copies, bounded by IFNAMSIZ.
        try system("ioctl SIOCGIFFLAGS", name) { unsafe clinux_interface_is_up(socket.rawValue, name) } == 1
    }

    /// The number of an interface in the namespace of the calling thread (if_nametoindex(3)), or a number as it is written (`2`).
    /// - Throws: ``LinuxError`` when there is no such interface.
    package static func index(of name: String) throws(LinuxError) -> UInt32 {
        if let number = UInt32(name), number > 0 { return number }
        // The name is a NUL-terminated string while the call runs. 0 is its failure.
        let index = try system("if_nametoindex", name) {
            let index = unsafe if_nametoindex(name)
            return index == 0 ? Int64(-1) : Int64(index)
        }
        return UInt32(truncatingIfNeeded: index)
    }
}

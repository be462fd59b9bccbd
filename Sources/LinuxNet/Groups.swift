// Users and groups by name and number, getgrnam_r(3), getpwuid_r(3).

internal import CLinux

/// The groups of the host.
package enum Groups {
    /// The number of a group; nil when the host has no such group.
    package static func id(of name: String) -> UInt32? {
        unsafe lookUp { buffer, room in
            var record = unsafe group()
            var found: UnsafeMutablePointer<group>? = nil
            // The record's strings lie in `buffer`, which is as long as its count says; only the number leaves.
            let error = unsafe getgrnam_r(name, &record, buffer, room, &found)
            return unsafe (error, found == nil ? nil : record.gr_gid)
        }
    }
}

/// The users of the host.
package enum Users {
    /// The user that this process acts as, geteuid(2).
    package static var own: UInt32 { geteuid() }

    /// The name of a user; nil when the host has no such user.
    package static func name(of uid: UInt32) -> String? {
        unsafe lookUp { buffer, room in
            var record = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>? = nil
            // The record's strings lie in `buffer`, which is as long as its count says; the name is copied out.
            let error = unsafe getpwuid_r(uid, &record, buffer, room, &found)
            return unsafe (error, found == nil ? nil : record.pw_name.map { unsafe String(cString: $0) })
        }
    }
}

/// Looks something up with as much room as it takes: ERANGE asks for more.
private func lookUp<Found>(_ call: (UnsafeMutablePointer<CChar>, Int) -> (error: Int32, found: Found?)) -> Found? {
    var room = 1024
    while room <= 1 << 20 {
        var buffer = [CChar](repeating: 0, count: room)
        // The array's storage, used only while the call runs.
        let (error, found) = unsafe call(&buffer, room)
        if error != ERANGE { return found }
        room *= 4
    }
    return nil
}

// The system's D-Bus, sd-bus(3): calls of methods with a deadline, and signals.

internal import CSystemd
package import LinuxNet

/// A connection to the system bus, for one thread.
@safe package struct SystemBus: ~Copyable {
    // Safe although it has a pointer: the object is this value's own, as long as it lives.

    /// An object of a service, and one of its interfaces.
    package struct Object: Sendable {
        /// Well-known name of the service, as `org.freedesktop.machine1`.
        package var service: String
        /// Path of the object, as `/org/freedesktop/machine1`.
        package var path: String
        /// Interface, as `org.freedesktop.machine1.Manager`.
        package var interface: String

        package init(service: String, path: String, interface: String) {
            self.service = service
            self.path = path
            self.interface = interface
        }
    }

    /// The bus itself, as an object: org.freedesktop.DBus (D-Bus Specification, "Message Bus Messages").
    private static let driver = Object(
        service: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus")

    private let bus: OpaquePointer
    private let timeout: Duration

    /// Connects to `/run/dbus/system_bus_socket`, or where `DBUS_SYSTEM_BUS_ADDRESS` says.
    /// - Parameter timeout: longest wait for the reply to a call.
    /// - Throws: ``BusError`` where there is no bus.
    package init(timeout: Duration) throws(BusError) {
        var bus: OpaquePointer? = nil
        // It makes an object, which is freed when this value ends.
        let status = unsafe sd_bus_open_system(&bus)
        guard status >= 0, let bus = unsafe bus else { throw BusError(call: "sd_bus_open_system", status: status) }
        unsafe self.bus = bus
        self.timeout = timeout
    }

    deinit {
        // The object is ours, and nobody has it any more.
        _ = unsafe sd_bus_flush_close_unref(bus)
    }

    /// A descriptor that is readable when the bus has sent something: ``takeSignals()`` is to be called then.
    /// - Throws: `LinuxError` when the process has too many open files.
    package func descriptor() throws(LinuxError) -> Descriptor {
        // The number stays the bus's own, which closes it.
        let own = Descriptor(adopting: unsafe sd_bus_get_fd(bus))
        do throws(LinuxError) {
            let copy = try own.duplicate()
            _ = own.release()
            return copy
        } catch {
            _ = own.release()
            throw error
        }
    }

    /// Has the bus send the signals of an interface of an object.
    /// - Throws: ``BusError``.
    package func subscribe(to object: Object) throws(BusError) {
        let rule = "type='signal',sender='\(object.service)',path='\(object.path)',interface='\(object.interface)'"
        _ = try call(Self.driver, "AddMatch", [rule])
    }

    /// Calls a method and waits for its reply.
    /// - Parameters:
    ///   - object: object that has the method.
    ///   - method: name of the method.
    ///   - arguments: its arguments, each a text (D-Bus type `s`).
    /// - Throws: ``BusError`` for an error reply, a broken connection and a reply that does not come in time.
    package func call(
        _ object: Object, _ method: String, _ arguments: [String] = []
    ) throws(BusError) -> BusMessage {
        try call(object, method, arguments: arguments.map { .string($0) })
    }

    /// Calls a method with arguments of any types, and waits for its reply.
    /// - Throws: ``BusError``, as ``call(_:_:_:)``.
    package func call(
        _ object: Object, _ method: String, arguments: [BusArgument]
    ) throws(BusError) -> BusMessage {
        let name = "\(object.interface).\(method)"
        var request: OpaquePointer? = nil
        // It makes a message, which is freed below.
        let made = unsafe sd_bus_message_new_method_call(
            bus, &request, object.service, object.path, object.interface, method)
        guard made >= 0 else { throw BusError(call: name, status: made) }
        defer { _ = unsafe sd_bus_message_unref(request) }
        for argument in arguments {
            let appended = unsafe argument.append(to: request)
            guard appended >= 0 else { throw BusError(call: name, status: appended) }
        }
        var error = unsafe sd_bus_error()
        defer { unsafe sd_bus_error_free(&error) }
        var reply: OpaquePointer? = nil
        let (seconds, attoseconds) = timeout.components
        let microseconds = UInt64(clamping: seconds) &* 1_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000_000)
        let status = unsafe sd_bus_call(bus, request, microseconds, &error, &reply)
        guard status >= 0, let reply = unsafe reply else {
            // The name lives until the error is freed.
            let identifier = unsafe error.name.map { unsafe String(cString: $0) }
            throw BusError(call: name, status: status, name: identifier)
        }
        return unsafe BusMessage(adopting: reply, call: name)
    }

    /// Takes what the bus has sent.
    /// - Returns: names of the signals, as `MachineNew`, in their order.
    /// - Throws: ``BusError`` when the connection is broken.
    package func takeSignals() throws(BusError) -> [String] {
        var signals: [String] = []
        while true {
            var message: OpaquePointer? = nil
            let status = unsafe sd_bus_process(bus, &message)
            guard status >= 0 else { throw BusError(call: "sd_bus_process", status: status) }
            guard status > 0 else { return signals }
            guard let message = unsafe message else { continue }
            // The name lives as long as its message.
            if unsafe sd_bus_message_is_signal(message, nil, nil) > 0,
                let name = unsafe sd_bus_message_get_member(message)
            {
                signals.append(unsafe String(cString: name))
            }
            _ = unsafe sd_bus_message_unref(message)
        }
    }
}

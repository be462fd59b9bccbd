// The opener's side of admissions: a thread for each worker, which puts addresses into sets of gates and does nothing else.

import LinuxNet
import SystemPackage

/// Carries out admissions of one worker, one after another, until its end of the connection is closed.
///
/// A message can change elements of the sets of gates alone: not a rule, not another table.
struct AdmissionService: ~Copyable {
    private let connection: Descriptor
    private let gates: AddressGates

    private init(_ connection: consuming Descriptor) throws(LinuxError) {
        self.connection = connection
        gates = try AddressGates()
    }

    /// Starts the service on a thread of its own.
    /// - Returns: the worker's end of the connection, which is non-blocking.
    /// - Throws: ``LinuxError``, for example of kind ``LinuxError/Kind/noNftables``.
    static func start() throws(LinuxError) -> Descriptor {
        var pair = try UnixSocket.pairForMessages()
        guard let second = pair.second.take() else { throw LinuxError(call: "socketpair", errno: .badFileDescriptor) }
        let service = Handover(try AdmissionService(second))
        try Thread.start(name: "admission") {
            if let service = service.take() { service.run() }
        }
        return pair.takeFirst()
    }

    private consuming func run() {
        var buffer = [UInt8](repeating: 0, count: Admission.maximumLength)
        while true {
            do throws(LinuxError) {
                guard let count = try connection.receive(into: &buffer), count > 0 else { return }
                // Who sends anything else is none of our workers.
                guard let admission = Admission(buffer.span.extracting(first: count)) else { return }
                guard try connection.send(reply(to: admission).octets.span) != nil else { return }
            } catch {
                return
            }
        }
    }

    private func reply(to admission: Admission) -> AdmissionReply {
        do throws(LinuxError) {
            let madeRoom = try gates.admit(admission.entries, to: admission.cookie)
            return AdmissionReply(number: admission.number, errno: 0, madeRoom: madeRoom)
        } catch {
            return AdmissionReply(number: admission.number, errno: error.errno.rawValue, madeRoom: false)
        }
    }
}

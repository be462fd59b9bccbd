// The CNI plugin: the last in a chain, behind the plugins that make links and give addresses (CNI 0.4.0 to 1.1.0).

import ControlAPI
import LinuxNet
import RuntimeWire

/// `intercom` in the directory of CNI plugins. A call that the specification does not allow is refused in its form; a daemon
/// that is down or refuses leaves a line in the journal, and no container fails for want of names.
package enum CNIPlugin {
    /// Name of the program: a configuration's `type`.
    package static let program = "intercom"

    /// Does all of it, and exits.
    package static func main() -> Never {
        do throws(CNIFailure) {
            let call = try CNICall(environment: environment, configuration: try configuration())
            do throws(HookFailure) {
                try carryOut(call)
            } catch {
                HookJournal.write(error.description, program: "intercom-cni")
            }
            write(call.answer)
            Exit.now(0)
        } catch {
            write(error.answer)
            Exit.now(1)
        }
    }

    /// True when a runtime calls the program as a plugin (CNI specification, "Parameters").
    package static var isCalled: Bool { Environment.value(of: "CNI_COMMAND") != nil }

    private static var environment: [String: String] {
        let names = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS"]
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in Environment.value(of: name).map { (name, $0) } })
    }

    private static func configuration() throws(CNIFailure) -> [UInt8] {
        do throws(LinuxError) {
            return try StandardInput.readAll(limit: CNICall.maximumLength, timeout: HookSettings.inputTimeout)
        } catch {
            throw CNIFailure(.inputOutput, "the configuration cannot be read from standard input: \(error)")
        }
    }

    private static func write(_ answer: [UInt8]) {
        Files.write(String(decoding: answer, as: UTF8.self), to: .standardOutput)
    }

    // MARK: - Commands

    private static func carryOut(_ call: CNICall) throws(HookFailure) {
        var settings = HookSettings([])
        if let control = call.control { settings.control = control }
        let records = CNIRecords()
        switch call.command {
        case .add: try add(call, records, settings)
        case .delete: try delete(call, records, settings)
        case .collect: try collect(call, records, settings)
        // STATUS: an ADD always succeeds. CHECK: what intercom adds is tried again by itself where it is missing.
        case .check, .status, .version: break
        }
    }

    private static func add(_ call: CNICall, _ records: CNIRecords, _ settings: HookSettings) throws(HookFailure) {
        var record = records.read(call.container) ?? CNIRecord(call)
        record.add(call)
        let failure = records.write(record)
        var network = RuntimeNetwork(name: call.network, id: "")
        network.interface = call.hostInterfaces.first { Files.isDirectory("/sys/class/net/\($0)/bridge") }
        try HookUpdate.put(record.published, networks: [network], source: .cni, settings: settings)
        if let failure { throw failure }
    }

    private static func delete(_ call: CNICall, _ records: CNIRecords, _ settings: HookSettings) throws(HookFailure) {
        var record = records.read(call.container) ?? CNIRecord(call)
        record.remove(interface: call.interface)
        try store([record], records, settings)
    }

    private static func collect(_ call: CNICall, _ records: CNIRecords, _ settings: HookSettings) throws(HookFailure) {
        guard let valid = call.validAttachments.map({ Set($0) }) else { return }
        let changed = records.all().compactMap { before -> CNIRecord? in
            var after = before
            after.keep(valid, on: call.network)
            return after == before ? nil : after
        }
        if !changed.isEmpty { try store(changed, records, settings) }
    }

    /// Keeps records from which attachments were taken, and tells the daemon of them.
    private static func store(
        _ changed: [CNIRecord], _ records: CNIRecords, _ settings: HookSettings
    ) throws(HookFailure) {
        for record in changed where record.isEmpty { records.remove(record.container) }
        let left = changed.filter { !$0.isEmpty }
        let failures = left.compactMap { records.write($0) }
        try HookUpdate.remove(
            changed.filter(\.isEmpty).map(\.published.id), put: left.map(\.published), source: .cni,
            settings: settings)
        if let failure = failures.first { throw failure }
    }
}

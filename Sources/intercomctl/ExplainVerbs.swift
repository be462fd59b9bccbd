// intercomctl explain, doctor.

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet

struct ExplainVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show why a name does not resolve for a container, and what mends it.",
        discussion: "Exits with 0 where nothing has to be mended, 1 where something has.")

    @Argument(help: "A domain name.")
    var name: String

    @Argument(help: "A record type, as AAAA, SRV or TYPE65.")
    var type: String?

    @Option(help: ArgumentHelp("The container that asks.", valueName: "container"), completion: .containers)
    var from: String

    @Option(help: ArgumentHelp("A TCP port of the service behind the name: is it open?", valueName: "port"))
    var port: Int?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let parameters = Explain.Parameters(name: name, type: type, container: from, port: port)
        do {
            let reply = try common.reply(Explain.self, parameters) { $0.shown }
            if reply.fault { throw ExitCode(1) }
        } catch let failure as Failure where failure.status == 3 {
            let cure = Explain.Reply.startDaemon
            try failure.report(
                Explain.Reply(steps: [], fault: true, cause: "daemon-down", text: failure.message, cure: cure), common)
        }
    }
}

extension Explain.Reply {
    /// The unit of the daemon.
    static let startDaemon = "systemctl start intercom.service"

    fileprivate var shown: String {
        var table = Table(["STEP", "", ""], .wrap)
        for step in steps { table.add([step.step, step.state, step.text]) }
        var text = table.text
        if let sentence = self.text {
            text += "\n" + Table.paragraph("\(cause ?? ""): \(sentence)", after: fault ? "! " : "  ")
        } else {
            let isPortTried = steps.contains { $0.step == "port" }
            text += "\nNo fault was found.\(isPortTried ? "" : " With --port PORT, the service is tried, too.")\n"
        }
        if let cure { text += "  \(DisplayText.escaped(cure))\n" }
        return text
    }
}

struct DoctorVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Show whatever is not well, and what mends it.",
        discussion: "Exits with 0 where everything is well, 1 where something is not.")

    @Argument(help: "Containers to look at; none: all, and the machine.", completion: .containers)
    var containers: [String] = []

    @OptionGroup var common: CommonOptions

    func run() throws {
        do {
            let parameters = Doctor.Parameters(containers: containers.isEmpty ? nil : containers)
            let reply = try common.reply(Doctor.self, parameters) { $0.shown }
            if !reply.findings.isEmpty { throw ExitCode(1) }
        } catch let failure as Failure where failure.status == 3 {
            let finding = Doctor.Finding(
                cause: "daemon-down", text: failure.message, cure: Explain.Reply.startDaemon)
            try failure.report(Doctor.Reply(findings: [finding], further: 0, containerCount: 0), common)
        }
    }
}

extension Doctor.Reply {
    fileprivate var shown: String {
        if findings.isEmpty {
            return "Everything is well: \(DisplayText.counted(containerCount, "container")) looked at.\n"
        }
        var text = ""
        for finding in findings {
            text += Table.paragraph("\(finding.cause): \(finding.text)", after: "! ")
            if let cure = finding.cure { text += "  \(DisplayText.escaped(cure))\n" }
        }
        if further > 0 { text += "and \(further) more\n" }
        return text
    }
}

extension Failure {
    /// Prints a reply of the client's own in the place of the daemon's, if JSON is wanted, and fails.
    fileprivate func report(_ reply: some Encodable, _ common: CommonOptions) throws -> Never {
        if common.json { Files.write(CommonOptions.document(reply), to: .standardOutput) }
        throw self
    }
}

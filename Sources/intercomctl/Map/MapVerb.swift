// intercomctl map

import ArgumentParser
import ControlAPI
import LinuxNet

struct MapVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Draw networks and containers as a page for a browser.",
        discussion: """
            One HTML file, which loads nothing: networks are streets, containers are houses with their names, states and \
            addresses; those of other hosts, on networks that are here, say on which. Choosing a house shows whom it can resolve. What is not well is red, with the sentence of 'doctor'. \
            Made for up to 500 containers; of more than 2,000 houses the rest is counted. The page shows the names of all \
            networks: it is for the operator.
            """)

    @Option(
        help: ArgumentHelp("File to write, replaced as a whole; standard output if absent.", valueName: "file"),
        completion: .file())
    var output: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if common.json { throw ValidationError("map has no --json; 'container ls --json' has its content") }
        if output == nil, Files.isTerminal(.standardOutput) {
            throw ValidationError("a page is not for a terminal; name a file: intercomctl map --output map.html")
        }
    }

    func run() throws {
        let client = try ControlClient(socket: common.socket)
        let networks = try client.allReplies(to: ListNetworks.self, Nothing()).flatMap(\.networks)
        let containers =
            try client.allReplies(to: ListContainers.self, .init(all: true)).flatMap(\.containers)
            + client.allReplies(to: ListContainers.self, .init(remote: true)).flatMap(\.containers)
            .compactMap { $0.on(Set(networks.map(\.name))) }
        let checkup = try client.call(Doctor.self, Doctor.Parameters())
        let town = Town(networks: networks, containers: containers, checkup: checkup)
        let page = MapPage(town, machine: Self.machine, time: "at \(Self.timeOfDay)")
        guard let output else { return Files.write(page.html, to: .standardOutput) }
        do throws(LinuxError) {
            // For whoever looks at it: a web server, or a browser of another user.
            let readableByAll: UInt32 = 0o644
            try Files.writeAtomically(output, page.html, mode: readableByAll)
        } catch {
            throw Failure(
                status: 1,
                message: "cannot write \(output) (\(error.errno)); name a file in a directory that you may write to")
        }
    }

    /// The local time of day, to the second.
    private static var timeOfDay: String {
        let now = BootTime.now
        let time = WallClock.timeOfDay(WallClock(bootTime: now).microseconds(at: now))
        return String(time.prefix { $0 != "." })
    }

    /// Name of the machine (proc(5)).
    private static var machine: String {
        let longest = 256
        let name = (try? Files.readText("/proc/sys/kernel/hostname", limit: longest)) ?? nil
        return name.map { String($0.prefix { $0 != "\n" }) } ?? "this machine"
    }
}

extension ControlAPI.Container {
    /// A container of another host, on networks that are here; nil: it is on none of them, and nobody here sees it.
    fileprivate func on(_ networks: Set<String>) -> ControlAPI.Container? {
        var container = self
        container.networks.removeAll { !networks.contains($0.network) }
        return container.networks.isEmpty ? nil : container
    }
}

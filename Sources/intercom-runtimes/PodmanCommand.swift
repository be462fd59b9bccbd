// intercom-runtimes podman.

import ArgumentParser
import RuntimeWire
import Runtimes

struct PodmanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "podman",
        abstract: "Publish the names that podman's networks give containers, as the source podman.",
        discussion: """
            Names, aliases and addresses are read from the files that netavark writes for aardvark-dns. Namespaces are \
            published by the OCI hook, which podman runs before a container's first instruction.
            """)

    @Option(
        help: ArgumentHelp("Directory of aardvark-dns's files.", valueName: "path"), completion: .directory)
    var directory = AardvarkDirectory.path

    @Option(
        help: ArgumentHelp("Directory of podman's networks, NAME.json.", valueName: "path"), completion: .directory)
    var networks = PodmanNetwork.directory

    @OptionGroup var options: AdapterOptions

    func run() throws {
        try options.run(try PodmanRuntime(directory: directory, definitions: networks))
    }
}

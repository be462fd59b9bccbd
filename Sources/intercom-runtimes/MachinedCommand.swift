// intercom-runtimes machined.

import ArgumentParser
import Runtimes

struct MachinedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machined",
        abstract: "Publish the containers of systemd-nspawn, as the source machined.",
        discussion: """
            systemd-machined tells of them over the system bus. A zone is a network called as the zone; a link of its own \
            (--network-veth) is a network called as the host's end, ve-NAME.
            """)

    @OptionGroup var options: AdapterOptions

    func run() throws {
        try options.run(MachinedRuntime())
    }
}

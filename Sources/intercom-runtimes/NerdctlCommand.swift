// intercom-runtimes nerdctl.

import ArgumentParser
import RuntimeWire
import Runtimes

struct NerdctlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nerdctl",
        abstract: "Publish the containers of nerdctl, as the source nerdctl.",
        discussion: """
            Names, addresses and processes are read from the records that nerdctl keeps for /etc/hosts: \
            ADDRHASH/etchosts/NAMESPACE/ID/meta.json.
            """)

    @Option(help: ArgumentHelp("Directory of nerdctl's data.", valueName: "path"), completion: .directory)
    var directory = NerdctlRecord.directory

    @OptionGroup var options: AdapterOptions

    func run() throws {
        try options.run(try NerdctlRuntime(directory: directory))
    }
}

// intercom-runtimes docker.

import ArgumentParser
import Runtimes

struct DockerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker",
        abstract: "Publish the containers of Docker, or of podman behind Docker's API, as the source docker.")

    @Option(help: ArgumentHelp("The socket of Docker's Engine API.", valueName: "path"), completion: .file())
    var socket = "/run/docker.sock"

    @Flag(help: "Leave containers on custom networks to Docker's own DNS.")
    var keepDockerDns = false

    @OptionGroup var options: AdapterOptions

    func run() throws {
        let adapter = DockerAdapter(
            socket: socket, control: options.control, keepsDockerDNS: keepDockerDns)
        if options.once {
            options.show(try adapter.readOnce())
        } else {
            try adapter.run()
        }
    }
}

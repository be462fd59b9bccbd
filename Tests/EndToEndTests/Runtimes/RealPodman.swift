// Debian's podman with netavark and aardvark-dns, in a lab.

import Foundation
import Testing

/// Root's podman, with the hook that is shipped and the adapter.
struct RealPodman {
    let lab: RuntimeLab

    init(_ lab: RuntimeLab) throws {
        self.lab = lab
        let hooks = "\(lab.directory)/hooks.d"
        try lab.must("mkdir \(hooks)")
        // The file that is shipped, with this test's program and socket.
        let shipped = try String(
            contentsOfFile: "\(House.repository)/config/runtimes/oci-hook.json", encoding: .utf8)
        try lab.write(
            shipped.replacing("/usr/libexec/intercom/oci-hook", with: "\(lab.programs)/oci-hook")
                .replacing(#"["oci-hook"]"#, with: #"["oci-hook", "--control", "\#(lab.house.socket)"]"#),
            to: "hooks.d/intercom.json")
        try lab.write(
            """
            [engine]
            runtime = "runc"
            cgroup_manager = "cgroupfs"
            events_logger = "none"
            hooks_dir = ["\(hooks)"]
            [network]
            network_backend = "netavark"
            network_config_dir = "/run/networks"
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
            """, to: "containers.conf")
        try lab.start(
            [
                "\(lab.programs)/intercom-runtimes", "podman", "--control", lab.house.socket, "--networks",
                "/run/networks",
            ], log: "log")
    }

    @discardableResult
    func must(_ arguments: String) throws -> String {
        try lab.must("CONTAINERS_CONF=\(lab.directory)/containers.conf podman \(arguments)")
    }

    /// Runs a container that does nothing, and gives its process.
    @discardableResult
    func container(_ name: String, _ options: String = "") throws -> String {
        try must(
            "run --detach --name \(name) \(options) --volume /usr:/usr:ro --rootfs \(lab.rootfs) sleep 600 >/dev/null"
        )
        return try must("inspect --format '{{.State.Pid}}' \(name)")
    }

    /// Kills aardvark-dns, as a crash would.
    func killDNS() throws { try lab.must("kill -9 $(cat /run/containers/networks/aardvark-dns/aardvark.pid)") }

    func tearDown() { _ = try? must("rm --force --all --time 0") }
}

// Containers of runtimes by the control groups of their processes: names as the runtimes make them.

import Testing

@testable import Diagnosis

@Suite("A container of a runtime")
struct RuntimeContainerTests {
    private static let id = "3f2a9b1c0d2e" + String(repeating: "0", count: 52)

    @Test(
        "is recognised by its control group, as systemd's driver and cgroupfs name it",
        arguments: [
            ("0::/system.slice/docker-\(id).scope", "docker 3f2a9b1c0d2e"),
            ("9:name=systemd:/docker/\(id)\n0::/", "docker 3f2a9b1c0d2e"),
            ("0::/system.slice/docker-\(id).scope/init.scope/docker-\(id).scope", "docker 3f2a9b1c0d2e"),
            ("0::/machine.slice/libpod-\(id).scope/container", "podman 3f2a9b1c0d2e"),
            ("0::/system.slice/nerdctl-\(id).scope", "nerdctl 3f2a9b1c0d2e"),
            ("4:memory:/default/\(id)", "nerdctl 3f2a9b1c0d2e"),
            ("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-\(id).scope", "kubernetes 3f2a9b1c0d2e"),
            ("5:pids:/kubepods/besteffort/pod7/\(id)", "kubernetes 3f2a9b1c0d2e"),
            ("0::/lxc.payload.shop/init.scope", "lxc shop"), ("3:freezer:/lxc/shop", "lxc shop"),
            (#"0::/machine.slice/machine-my\x2dshop.scope/payload"#, "machined my-shop"),
            ("0::/machine.slice/systemd-nspawn@shop.service/payload", "machined shop"),
        ])
    func recognised(groups: String, description: String) {
        #expect(RuntimeContainer(controlGroups: groups)?.description == description)
    }

    @Test(
        "is none for other services, for the runtime itself, and for names that only begin so",
        arguments: [
            "", "0::/", "0::/system.slice/docker.service", "0::/user.slice/user-1000.slice/session-2.scope",
            "0::/machine.slice/libpod-conmon-\(id).scope", "0::/system.slice/docker-abc.scope", "0::/lxc.monitor.shop",
            "9:name=systemd:/docker", "nonsense", "0::/machine.slice/machine-.scope", "0::/other/\(id)",
            "0::/lxc.payload.\(String(repeating: "x", count: 65))",
        ])
    func others(groups: String) {
        #expect(RuntimeContainer(controlGroups: groups) == nil)
    }
}

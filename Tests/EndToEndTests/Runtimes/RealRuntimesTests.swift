// Containers of Debian's runtimes have their names without a line by hand, from the first instruction on.

import Foundation
import Testing

@Suite("A container of a real runtime", .serialized)
struct RealRuntimesTests {
    // MARK: - OCI

    /// A bundle whose program is one query, with the hook at `createRuntime`.
    private static func bundle(_ name: String, _ lab: RuntimeLab, runtime: String) throws -> String {
        let bundle = "\(lab.directory)/\(name)"
        let script = """
            import json
            file = "\(bundle)/config.json"
            bundle = json.load(open(file))
            bundle["process"].update(terminal=False, args=["dig", "@127.0.0.11", "+short", "+tries=1", "+time=3", "localhost"])
            bundle["root"] = {"path": "\(lab.rootfs)"}
            bundle["mounts"].append({"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]})
            bundle["hooks"] = {"createRuntime": [
                {"path": "\(lab.programs)/oci-hook", "args": ["oci-hook", "--control", "\(lab.house.socket)"]}]}
            bundle["linux"].pop("resources", None)
            json.dump(bundle, open(file, "w"))
            """
        try lab.write(script, to: "\(name).py")
        try lab.must("mkdir \(bundle) && cd \(bundle) && \(runtime) spec && python3 \(lab.directory)/\(name).py")
        return bundle
    }

    @Test("of runc is answered when its first instruction is a query", .needs("/usr/sbin/runc"))
    func runc() throws {
        try RuntimeLab.lend { lab in
            for number in 0..<5 {
                let bundle = try Self.bundle("first-\(number)", lab, runtime: "runc")
                let output = try lab.run("runc run --bundle \(bundle) first-\(number)")
                #expect(output.status == 0 && output.text.hasSuffix("127.0.0.1"), "\(output)\n\(lab.logs)")
            }
        }
    }

    @Test("of crun is answered when its first instruction is a query", .needs("/usr/bin/crun"))
    func crun() throws {
        try RuntimeLab.lend { lab in
            // Some hosts have both versions of control groups, which crun refuses.
            try lab.must("[ -e /sys/fs/cgroup/cgroup.controllers ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup")
            let bundle = try Self.bundle("first", lab, runtime: "crun")
            let output = try lab.run("crun run --bundle \(bundle) first")
            #expect(output.status == 0 && output.text.hasSuffix("127.0.0.1"), "\(output)\n\(lab.logs)")
        }
    }

    // MARK: - podman

    @Test(
        "of podman knows its neighbours by name and alias, on its own networks and on the default one",
        .needs("/usr/bin/podman", "/usr/lib/podman/netavark", "/usr/sbin/runc"))
    func podman() throws {
        try RuntimeLab.lend { lab in
            let podman = try RealPodman(lab)
            defer { podman.tearDown() }
            try podman.must("network create front")
            try podman.must("network create back")
            let web = try podman.container("web", "--network front --network-alias site")
            let app = try podman.container("app", "--network front")
            #expect(try lab.answers(["10.89.0.2"], "web", in: app), "\(lab.logs)")
            #expect(try lab.answers(["10.89.0.2"], "site", in: app), "\(lab.logs)")
            #expect(try lab.answers(["10.89.0.3"], "app.front.internal", in: web), "\(lab.logs)")
            #expect(try lab.answers(["web.front.internal."], "-x10.89.0.2", in: app), "\(lab.logs)")
            // On another network nobody knows them, until one is connected.
            let db = try podman.container("db", "--network back")
            #expect(try lab.answers([], "web", in: db), "\(lab.logs)")
            try podman.must("network connect back app")
            #expect(try lab.answers(["10.89.1.3"], "app", in: db), "\(lab.logs)")
            try podman.must("network disconnect back app")
            #expect(try lab.answers([], "app", in: db), "\(lab.logs)")
            // The default network has no DNS of podman's.
            let one = try podman.container("one")
            let two = try podman.container("shop.two")
            #expect(try lab.answers(["10.88.0.3"], "shop.two", in: one), "\(lab.logs)")
            #expect(try lab.answers(["10.88.0.2"], "one", in: two), "\(lab.logs)")
            // One that stops has no name any more, and one that starts again has it again.
            try podman.must("stop --time 0 web")
            #expect(try lab.answers([], "web", in: app), "\(lab.logs)")
            try podman.must("start web")
            let address = try podman.must(
                "inspect --format '{{.NetworkSettings.Networks.front.IPAddress}}' web")
            #expect(try lab.answers([address], "web", in: app), "\(lab.logs)")
        }
    }

    // MARK: - CNI

    @Test("of ctr --cni has the name that ctr gave it", .needs("/usr/bin/containerd", "/usr/lib/cni/bridge"))
    func containerd() throws {
        try RuntimeLab.lend { lab in
            try lab.must("mkdir -p /opt/cni /etc/cni/net.d && cp -r /usr/lib/cni /opt/cni/bin")
            try lab.must("ln -s \(lab.programs)/intercom /opt/cni/bin/intercom")
            let list = """
                {"cniVersion": "0.4.0", "name": "front", "plugins": [
                  {"type": "bridge", "bridge": "cni0", "isGateway": true,
                   "ipam": {"type": "host-local", "subnet": "10.4.0.0/24", "dataDir": "/run/host-local"}},
                  {"type": "intercom", "control": "\(lab.house.socket)"}]}
                """
            try lab.write(list, to: "front.conflist")
            try lab.must("cp \(lab.directory)/front.conflist /etc/cni/net.d/10-front.conflist")
            let socket = "\(lab.directory)/containerd.sock"
            try lab.start(
                ["containerd", "--address", socket, "--root", "/var/lib/containerd", "--state", "/run/containerd"],
                log: "containerd.log")
            #expect(try eventually(within: 30) { try lab.run("ctr --address \(socket) version").status == 0 })
            func container(_ name: String) throws -> String {
                try lab.must(
                    """
                    ctr --address \(socket) run --detach --cni --rootfs --mount \
                    type=bind,src=/usr,dst=/usr,options=rbind:ro \(lab.rootfs) \(name) /usr/bin/sleep 600 >/dev/null
                    """)
                return try lab.must("ctr --address \(socket) task ls | awk '$1 == \"\(name)\" { print $2 }'")
            }
            let web = try container("web")
            let app = try container("app")
            defer { _ = try? lab.run("for n in web app; do ctr --address \(socket) task rm --force $n; done") }
            #expect(
                try lab.answers(["10.4.0.2"], "web", in: app), "\(lab.logs)\n\(lab.text("containerd.log"))")
            #expect(try lab.answers(["10.4.0.3"], "app.front", in: web), "\(lab.logs)")
            try lab.must("ctr --address \(socket) task kill --signal KILL web")
            #expect(try lab.answers([], "web", in: app), "\(lab.logs)")
        }
    }

    // MARK: - LXC

    @Test("of LXC has LXC's name, by the configuration that is shipped", .needs("/usr/bin/lxc-start"))
    func lxc() throws {
        try RuntimeLab.lend { lab in
            try lab.must(
                "ip link add lxcbr0 type bridge && ip addr add 10.0.3.1/24 dev lxcbr0 && ip link set lxcbr0 up")
            let shipped = try String(contentsOfFile: "\(House.repository)/config/runtimes/lxc.conf", encoding: .utf8)
            let lines = shipped.replacing(
                "/usr/libexec/intercom/lxc-hook", with: "\(lab.programs)/lxc-hook --control \(lab.house.socket)")
            func container(_ name: String, _ address: String) throws -> String {
                let configuration = """
                    lxc.include = /usr/share/lxc/config/common.conf
                    lxc.rootfs.path = dir:\(lab.rootfs)
                    lxc.mount.entry = /usr usr none bind,ro 0 0
                    lxc.uts.name = \(name)
                    lxc.net.0.type = veth
                    lxc.net.0.link = lxcbr0
                    lxc.net.0.flags = up
                    lxc.net.0.ipv4.address = \(address)/24
                    lxc.apparmor.profile = unconfined
                    \(lines)
                    """
                try lab.write(configuration, to: "\(name).conf")
                try lab.must(
                    "mkdir /var/lib/lxc/\(name) && cp \(lab.directory)/\(name).conf /var/lib/lxc/\(name)/config")
                try lab.must("lxc-start --name \(name) --daemon -- /bin/sleep 600")
                return try lab.must("lxc-info --name \(name) --pid --no-humanize")
            }
            let web = try container("web", "10.0.3.5")
            let app = try container("app", "10.0.3.6")
            defer { _ = try? lab.run("lxc-stop --kill --name web; lxc-stop --kill --name app") }
            #expect(try lab.answers(["10.0.3.5"], "web", in: app), "\(lab.logs)")
            #expect(try lab.answers(["10.0.3.6"], "app", in: web), "\(lab.logs)")
            try lab.must("lxc-stop --kill --name web")
            #expect(try lab.answers([], "web", in: app), "\(lab.logs)")
        }
    }
}

// The LXC hook as a program, with the environment that LXC gives it.

import Foundation
import Testing

@Suite("The LXC hook")
struct LXCHookTests {
    @Test("publishes the container of its environment")
    func publishes() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let pid = try house.isolatedProcess()
        let (output, _) = try HookProgram("lxc-hook", in: house).run(
            ["--control", house.control, "web", "lxc", "start-host"],
            environment: ["LXC_NAME=web", "LXC_PID=\(pid)", "LXC_HOOK_TYPE=start-host"])
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        #expect(house.taken.first?.source == "lxc" && house.taken.first?.wait == true)
        #expect(house.taken.first?.put?.first?.name == "web" && house.taken.first?.put?.first?.pid == Int(pid))
    }

    @Test("takes the container back behind its end")
    func stops() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let (output, _) = try HookProgram("lxc-hook", in: house).run(
            ["--control", house.control, "web", "lxc", "post-stop"], environment: ["LXC_NAME=web"])
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        #expect(house.taken.map(\.gone) == [["web"]] && house.taken.first?.source == "lxc")
    }

    @Test("exits with 0 and one line without that environment, and without a daemon")
    func alone() throws {
        let house = try AdapterHouse()
        let hook = try HookProgram("lxc-hook", in: house)
        let pid = try house.isolatedProcess()
        for environment in [[], ["LXC_NAME=web"], ["LXC_NAME=web", "LXC_PID=\(pid)"]] {
            let (output, _) = try hook.run(["--control", house.control], environment: environment)
            #expect(output.status == 0 && output.err.hasPrefix("intercom-lxc-hook: "), "\(output)")
            #expect(output.err.split(separator: "\n").count == 1)
        }
    }
}

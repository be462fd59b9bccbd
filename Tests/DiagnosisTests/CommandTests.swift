// Commands for a shell: nothing that a container has chosen means more than itself.

import Testing

@testable import Diagnosis

@Suite("A cure that is typed into a shell")
struct CommandTests {
    @Test(
        "quotes a word that a container has chosen",
        arguments: [
            ("eth0", "eth0"), ("web-br0.7", "web-br0.7"), ("", "''"), ("$(reboot)", "'$(reboot)'"),
            ("a;b", "'a;b'"), ("it's", #"'it'\''s'"#), ("a b", "'a b'"), ("~root", "'~root'"), ("a\nb", "'a\nb'"),
        ])
    func quoting(word: String, quoted: String) {
        #expect(ShellCommand.word(word) == quoted)
    }

    @Test("keeps names that begin like options apart from the options")
    func options() {
        #expect(
            ShellCommand.intercomctl("network connect", ["front", "--help"], "--ip 10.0.0.2")
                == "intercomctl network connect --ip 10.0.0.2 -- front --help")
    }

    @Test("runs where the container is, by the shortest way there is")
    func places() {
        #expect(CommandPlace.path("/run/netns/web").ip("link") == "ip -n web link")
        #expect(CommandPlace.path("/run/netns/-n").ip("link") == "nsenter --net=/run/netns/-n ip link")
        #expect(CommandPlace.path("/srv/it's").ip("link") == #"nsenter --net='/srv/it'\''s' ip link"#)
        #expect(CommandPlace.pid(4711).ip("link") == "nsenter --net --target 4711 ip link")
        #expect(CommandPlace.pid(4711).description == "pid 4711")
    }

    @Test("tries search domains before a name with fewer dots than ndots, else behind it, never at a final dot")
    func search() {
        func order(_ name: String, _ dots: Int) -> [[String]] {
            let order = ResolverFile.order(of: name, search: ["a.example", "b"], dots: dots)
            return [order.before, order.behind]
        }
        let search = ["a.example", "b"]
        #expect(order("web", 1) == [search, []])
        #expect(order("web", 0) == [[], search] && order("web.", 5) == [[], []])
        #expect(order("web.front", 1) == [[], search] && order("web.front", 2) == [search, []])
    }
}

// Content of a map, made of networks, containers and findings; and the plan of its streets and houses.

import ControlAPI
import Testing

@testable import ClientCommand

@Suite("A map's town")
struct TownTests {
    @Test("A container has a house on each of its networks, and one without a network has a place of its own")
    func doors() {
        let town = Town(
            networks: [Network("front", subnets: ["10.0.0.0/24"], internal: true), Network("back")],
            containers: [Container("web", on: ["front", "back"]), Container("stray", on: [])],
            checkup: Doctor.Reply())
        #expect(town.streets.map(\.name) == ["back", "front", nil])
        #expect(town.streets[1].remarks == ["10.0.0.0/24", "internal"])
        #expect(town.residents.map(\.name) == ["stray", "web"])
        #expect(town.residents.map { $0.doors.map(\.street) } == [[2], [1, 0]])
    }

    @Test("Parts of one network are one street, and a network that came after the list is added")
    func streets() {
        let town = Town(
            networks: [Network("front"), Network("front", continued: true)],
            containers: [Container("a", on: ["front"]), Container("b", on: ["late"])], checkup: Doctor.Reply())
        #expect(town.streets.map(\.name) == ["front", "late"])
    }

    @Test("A finding is shown at its container, and one about nobody on the map is the machine's")
    func findings() {
        let town = Town(
            networks: [Network("front")], containers: [Container("web", on: ["front"], state: "unheard")],
            checkup: Doctor.Reply([
                .init(cause: "no-upstream", text: "there is no upstream to ask"),
                .init(cause: "loopback-down", container: "web", text: "lo is down", cure: "ip -n web link set lo up"),
                .init(cause: "waited-for", container: "late", text: "late waits for /run/netns/late"),
            ]))
        #expect(town.faults.map(\.cause) == ["no-upstream", "waited-for"])
        #expect(town.residents[0].faults.map(\.text) == ["lo is down"])
        #expect(!town.residents[0].asks)
    }

    @Test("A container that ended has no names and no findings, also where another has its name now")
    func ended() {
        let town = Town(
            networks: [Network("front")],
            containers: [
                Container("web", on: ["front"], state: "ended", ended: 7),
                Container("web", on: ["front"], state: "unheard"),
                Container("app", on: ["front"], links: [Link(container: "web", name: "www")]),
            ],
            checkup: Doctor.Reply([.init(cause: "not-heard", container: "web", text: "nobody answers")]))
        #expect(town.residents.map(\.state) == ["ready", "unheard", "ended"])
        #expect(town.residents.map(\.isUnwell) == [false, true, false])
        #expect(town.residents[2].doors[0].names.isEmpty)
        #expect(town.residents[0].links == [Town.Link(target: 1, name: "www")])
    }

    @Test("A container of another host has a house that says on which host it is, and asks nobody here")
    func otherHosts() {
        var remote = Container("web", on: ["front"], address: "10.0.1.2", state: "elsewhere")
        remote.host = "b"
        remote.hostAddress = "192.0.2.2"
        var lost = Container("db", on: ["front"], state: "lost")
        lost.host = "c"
        let town = Town(
            networks: [Network("front")], containers: [Container("web", on: ["front"]), remote, lost],
            checkup: Doctor.Reply())
        #expect(town.residents.map(\.stateWithHost) == ["lost on c", "ready", "on b"])
        #expect(town.residents.map(\.asks) == [false, true, false])
        let page = MapPage(town, machine: "a", time: "now").html
        #expect(page.contains("aria-label=\"web, 10.0.1.2, on b\""))
        #expect(page.contains(#""host":"b","hostAddress":"192.0.2.2""#), "the panel shows both")
    }

    @Test("Of more houses than a page can draw those that are not well are kept, and the others are counted")
    func bounded() {
        let town = Town(
            networks: [Network("front")],
            containers: (0..<Town.mostHouses).map { Container("c\($0)", on: ["front"]) } + [
                Container("z", on: ["front"], state: "unheard")
            ],
            checkup: Doctor.Reply([.init(cause: "not-heard", container: "z", text: "nobody answers")]))
        #expect(town.residents.count == Town.mostHouses && town.further == 1)
        #expect(town.residents.contains { $0.name == "z" })
    }

    @Test("Control characters and marks of direction are shown as their numbers")
    func hidden() {
        let town = Town(
            networks: [Network("a\u{202E}b")], containers: [Container("c\u{9B}d", on: ["a\u{202E}b"])],
            checkup: Doctor.Reply())
        #expect(town.streets[0].name == #"a\u{202e}b"# && town.residents[0].name == #"c\u{9b}d"#)
    }
}

@Suite("A map's plan")
struct TownPlanTests {
    @Test(
        "Houses lie apart, within their street's block and on its roads; blocks lie apart, within the map",
        arguments: [
            [], [0], [1], [2], [12], [1, 1], [7, 0, 3], [500], Array(repeating: 5, count: 20),
            Array(repeating: 1, count: 500),
            [250, 1, 0, 249], [3, 40, 2, 100, 9],
        ])
    func apart(counts: [Int]) {
        let plan = TownPlan(houses: counts)
        let map = TownPlan.Box(x: 0, y: 0, width: plan.width, height: plan.height)
        #expect(plan.blocks.map { $0.houses.count } == counts)
        #expect(plan.width <= TownPlan.widest)
        for (number, block) in plan.blocks.enumerated() {
            #expect(map.contains(block.box))
            #expect(plan.blocks[..<number].allSatisfy { !$0.box.overlaps(block.box) })
            #expect(!block.roads.isEmpty)
            for (index, house) in block.houses.enumerated() {
                #expect(block.box.contains(house))
                #expect(block.houses[..<index].allSatisfy { !$0.overlaps(house) })
                #expect(block.roads.contains { $0.y == house.y + house.height })
                #expect(block.roads.allSatisfy { !$0.overlaps(house) })
            }
        }
    }

    @Test(
        "An address of IPv4 fits into a house, and no letter is smaller than 11 pixels", arguments: [2, 20, 100, 500])
    func legible(count: Int) {
        let scale = TownPlan(houses: [count]).scale
        #expect(scale.detailLetters >= "192.168.100.200".count)
        #expect(scale.nameLetters >= 11)
        #expect(min(scale.detail, scale.name) >= 11)
    }

    @Test(
        "500 containers take no more than a dozen screens",
        arguments: [[500], Array(repeating: 50, count: 10), Array(repeating: 10, count: 50)])
    func long(counts: [Int]) {
        #expect(TownPlan(houses: counts).height < 12 * 1080)
    }
}

// Descriptors that the service manager keeps: the unit that is asked about.

import Testing

@testable import Systemd

@Suite("The store of descriptors")
struct StoredDescriptorsTests {
    @Test(
        "is that of the unit whose control group this process is in",
        arguments: [
            ("0::/system.slice/intercom.service\n", "intercom.service"),
            ("4:pids:/user.slice\n1:name=systemd:/system.slice/intercom.service\n", "intercom.service"),
            ("0::/system.slice/system-intercom.slice/intercom@a.service\n", "intercom@a.service"),
            ("0::/user.slice/user-0.slice/session-1.scope\n", nil), ("0::/\n", nil), ("", nil),
            ("4:pids:/system.slice/other.service\n", nil),
        ] as [(String, String?)])
    func unit(text: String, unit: String?) {
        #expect(StoredDescriptors.unit(ofControlGroup: text) == unit)
    }

    @Test("has the unit's name in its object's path, octet by octet")
    func label() {
        #expect(StoredDescriptors.label("intercom.service") == "intercom_2eservice")
        #expect(StoredDescriptors.label("a@b-1.service") == "a_40b_2d1_2eservice")
        #expect(StoredDescriptors.label("\u{1}") == "_01")
    }

    @Test("is not known where no service manager runs this process")
    func alone() {
        #expect(StoredDescriptors.read(controlGroup: "0::/\n") == nil)
    }
}

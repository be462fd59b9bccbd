// intercom-etcd as a program of its own: it alone links libcurl, so that the daemon has neither TLS nor keys.

import EtcdCommand

@main
enum Program {
    static func main() {
        EtcdCommand.main()
    }
}

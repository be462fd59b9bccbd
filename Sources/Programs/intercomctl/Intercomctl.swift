// intercomctl as a program of its own, for whoever builds it without the daemon.

import ClientCommand

@main
enum Program {
    static func main() {
        ClientCommand.main()
    }
}

// What is to be done after a while, though nothing tells of it. Where there is nothing, the loop sleeps.

import Attachment
import LinuxNet

/// Something to be done later.
enum ControlTask: Hashable, CaseIterable {
    /// See whether the paths of containers lead to their namespaces still.
    case lookForAbsent
    /// Ask the kernel for everything again.
    case catchUp
    /// Try again to observe the kernel.
    case subscribe
    /// Have the registry know what the kernel shows.
    case takeChanges
    /// Read default routes.
    case readRoutes
    /// Read default routes again, for one may have gone with its link.
    case outletHasChanged
    /// Declare everything, though the kernel is not observed yet.
    case declare
    /// Begin to answer, though not all is there that was before.
    case answer
    /// Go on with what waits for namespaces to be entered.
    case settle
}

extension ControlPlane {
    /// Has a task carried out after a while; one that is scheduled already stays as it is.
    func schedule(_ task: ControlTask, after delay: Duration) {
        if tasks[task] == nil { tasks[task] = .now + delay }
    }

    /// Milliseconds until something is due; nil while there is nothing.
    func timeout() -> Int? {
        let deadlines = [
            tasks.values.min(), containers.room.nextDeadline, requests.nextDeadline, workers.nextDeadline,
        ]
        guard let next = deadlines.compactMap({ $0 }).min() else { return nil }
        let left = ContinuousClock.now.duration(to: next)
        guard left > .zero else { return 0 }
        // Rounded up, so that a task is due when we wake for it.
        return Int(left.components.seconds) * 1000 + Int(left.components.attoseconds / 1_000_000_000_000_000) + 1
    }

    /// Does what is due.
    func carryOutTasks() {
        let now = ContinuousClock.now
        requests.expire()
        workers.expire()
        if let deadline = containers.room.nextDeadline, deadline <= now {
            containers.handle(.tick)
            publish()
        }
        guard !tasks.isEmpty else { return }
        for task in ControlTask.allCases {
            guard let due = tasks[task], due <= now else { continue }
            tasks[task] = nil
            switch task {
            case .lookForAbsent: containers.endAbsent()
            case .catchUp: discovery.catchUp()
            case .subscribe: discovery.subscribe()
            case .takeChanges:
                discovery.takeChanges()
                publish()
            case .readRoutes: discovery.readRoutes()
            case .outletHasChanged: discovery.outletHasChanged()
            case .declare: declareAll()
            case .answer: answer()
            case .settle: settle()
            }
        }
    }
}

// What is to be done after a while, though nothing tells of it. Where there is nothing, the loop sleeps.

import LinuxNet

/// Something to be done later.
enum ControlTask: Hashable, CaseIterable {
    /// See whether the paths of containers lead to their namespaces still.
    case lookForAbsent
    /// Say what is wrong with what was found, if it is still wrong.
    case sayProblems
    /// Ask the kernel for everything again.
    case catchUp
    /// Try again to enter what could not be entered.
    case enterAgain
    /// Make listeners anew that have failed.
    case remakeListeners
}

extension ControlPlane {
    /// Has a task carried out after a while; one that is scheduled already stays as it is.
    func schedule(_ task: ControlTask, after delay: Duration) {
        if tasks[task] == nil { tasks[task] = .now + delay }
    }

    /// Milliseconds until a task is due; nil while there is none.
    func timeout() -> Int? {
        guard let next = tasks.values.min() else { return nil }
        let left = ContinuousClock.now.duration(to: next)
        guard left > .zero else { return 0 }
        // Rounded up, so that a task is due when we wake for it.
        return Int(left.components.seconds) * 1000 + Int(left.components.attoseconds / 1_000_000_000_000_000) + 1
    }

    func carryOutTasks() {
        guard !tasks.isEmpty else { return }
        let now = ContinuousClock.now
        for task in ControlTask.allCases {
            guard let due = tasks[task], due <= now else { continue }
            tasks[task] = nil
            switch task {
            case .lookForAbsent: endAbsent()
            case .sayProblems: sayProblems()
            case .catchUp: catchUp()
            case .enterAgain: enterAgain()
            case .remakeListeners: remakeListeners()
            }
        }
    }
}

// Explain: the way of a question, from the container to the answer, each step with what is wrong there.

import ControlAPI
import DNSWire
import Diagnosis
import Registry

extension Explain: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        let parameters = call.parameters
        let question: ExplainedQuestion
        do throws(ControlError) {
            question = try ExplainedQuestion(parameters)
        } catch {
            return call.refuse(error)
        }
        do throws(ControlError) {
            let container = try plane.publisher.container(named: parameters.container)
            Inquiry(question, container.id, plane) { facts, answer in
                call.reply(Reply(Explanation(facts), answer))
            }.begin()
        } catch {
            // Several are called so: only the operator can say which.
            guard error.member == "NoSuchContainer" else { return call.refuse(error) }
            AbsentAsker(question, plane).explain { facts, answer in call.reply(Reply(Explanation(facts), answer)) }
        }
    }
}

/// The explanation for a container that is not called so: it is absent, or it is a process's.
private struct AbsentAsker {
    let question: ExplainedQuestion
    let plane: ControlPlane

    init(_ question: ExplainedQuestion, _ plane: ControlPlane) {
        self.question = question
        self.plane = plane
    }

    func explain(done: @escaping (Facts, Resolve.Answer?) -> Void) {
        let name = question.facts.asker
        let finder = FactFinder(plane: plane)
        let unserved = UnservedProcesses(plane: plane)
        func conclude(_ absence: Absence?) {
            let near = absence == nil ? finder.nearContainer(name) : nil
            done(
                Facts(
                    question.facts, asker: .absent(absence, near: near),
                    configurationPath: plane.configured.file.path), nil)
        }
        if let absence = finder.absence(of: name) { return conclude(absence) }
        if let pid = Int32(name), pid > 0 {
            return unserved.look(at: pid) { standing in
                switch standing {
                case .container(let container): Inquiry(question, container, plane, done: done).begin()
                case .absent(let absence): conclude(absence)
                case nil: conclude(nil)
                }
            }
        }
        guard finder.nearContainer(name) == nil else { return conclude(nil) }
        unserved.find(called: name) { standing, programs in
            switch standing {
            case .container(let container): Inquiry(question, container, plane, done: done).begin()
            case .absent(let absence): conclude(absence)
            case nil:
                let unnamed = finder.unnamed
                if !unnamed.isEmpty { return conclude(.perhapsUnnamed(unnamed)) }
                conclude(programs.isEmpty ? nil : .perhapsUnserved(programs))
            }
        }
    }
}

/// The question that is to be explained, with its values read.
struct ExplainedQuestion {
    /// As it was typed.
    var facts: Facts.Question
    let name: Name
    var type: RecordType
    /// True where no type was given: addresses of both families are tried.
    let isOfBothFamilies: Bool

    /// - Throws: `InvalidName`, `InvalidValue`.
    init(_ parameters: Explain.Parameters) throws(ControlError) {
        name = try Name(ofParameter: parameters.name)
        type = try RecordType(ofParameter: parameters.type)
        var port: UInt16?
        if let number = parameters.port {
            guard let valid = UInt16(exactly: number), valid > 0 else {
                throw .invalidValue("\(number)", of: "port", reason: "expected 1 to 65535")
            }
            port = valid
        }
        isOfBothFamilies = parameters.type == nil
        facts = Facts.Question(parameters.name, "\(type)", from: parameters.container, port: port)
    }
}

extension Name {
    /// - Throws: `InvalidName`.
    init(ofParameter text: String) throws(ControlError) {
        do throws(NameError) {
            self = try Name(text)
        } catch {
            throw .invalidName(text, reason: error.description)
        }
    }
}

extension RecordType {
    /// A type by its name; A where none is given.
    /// - Throws: `InvalidValue`.
    init(ofParameter text: String?) throws(ControlError) {
        let text = text ?? "A"
        guard let type = RecordType(text: text) else {
            throw .invalidValue(text, of: "type", reason: "expected a record type, as A, AAAA, PTR or TYPE65")
        }
        self = type
    }
}

extension Explain.Reply {
    fileprivate init(_ explanation: Explanation, _ answer: Resolve.Answer?) {
        let finding = explanation.finding
        self.init(
            steps: explanation.steps.map { step in
                Explain.Step(
                    step: step.kind.rawValue, state: step.state.rawValue, text: step.text,
                    cause: step.finding?.cause.rawValue, cure: step.finding?.cure)
            },
            fault: explanation.hasFault, cause: finding?.cause.rawValue, text: finding?.text, cure: finding?.cure,
            answer: answer)
    }
}

/// What a long computation tells its audience.
package enum PackStep: Sendable {
    /// Objects found so far.
    case enumerating(objects: Int)
    case enumerated(objects: Int)
    case writing(objects: Int)
    case done(objects: Int, deltas: Int, reused: Int, reusedDeltas: Int)
}

/// Words the steps of a computation as git does, and not too often.
final class PackProgress {
    private static let interval = Duration.milliseconds(500)

    private let job: PackJob
    private var lastReport = ContinuousClock.now

    init(_ job: PackJob) { self.job = job }

    func report(_ step: PackStep) {
        switch step {
        case .enumerating(let objects):
            let now = ContinuousClock.now
            guard now - lastReport >= Self.interval else { return }
            lastReport = now
            job.report("Enumerating objects: \(objects)\r")
        case .enumerated(let objects):
            job.report("Enumerating objects: \(objects), done.\n")
        case .writing:
            // The client shows itself what it receives.
            return
        case .done(let objects, let deltas, let reused, let reusedDeltas):
            job.report("Total \(objects) (delta \(deltas)), reused \(reused) (delta \(reusedDeltas))\n")
        }
    }
}

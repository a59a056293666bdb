/// A rule of `git fsck --strict` that an object breaks, under git's name for it.
struct RuleViolation: Error, Hashable {
    let rule: String
    let explanation: String

    init(_ rule: String, _ explanation: String) {
        self.rule = rule
        self.explanation = explanation
    }
}

/// Why the relay cannot work with a database or an org until a person changes something.
public struct RelayError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of obstacle it is. More kinds may come, so a switch needs a default.
    public struct Code: Sendable, Hashable {
        private enum Kind { case transactionPooler, extensionMissing, extensionTooOld, noCredentials, otherOrganization, notReady, stateUnreadable }
        private let kind: Kind

        public static let transactionPooler = Code(kind: .transactionPooler)
        public static let extensionMissing = Code(kind: .extensionMissing)
        public static let extensionTooOld = Code(kind: .extensionTooOld)
        public static let noCredentials = Code(kind: .noCredentials)
        public static let otherOrganization = Code(kind: .otherOrganization)
        /// The database answered something that this relay does not understand.
        public static let notReady = Code(kind: .notReady)
        /// What the relay keeps outside the database cannot be read.
        public static let stateUnreadable = Code(kind: .stateUnreadable)
    }

    public let code: Code
    /// One line: what is wrong and what to do.
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

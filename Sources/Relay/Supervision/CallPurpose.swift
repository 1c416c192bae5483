/// For what calls to Salesforce are made: it decides whose daily maximum they count against, and how long they go on when the
/// org's quota runs short.
struct CallPurpose: Sendable, Equatable {
    enum Kind: Int, Sendable {
        /// Sending changes and finding out what became of them.
        case write
        /// Polls, read-backs and descriptions.
        case read
        case load
    }

    var kind: Kind
    /// More than one when changes of several objects travel in one call.
    var mappings: [String]

    /// The purpose of the calls of the present task; nil: the connection's own, such as a look at the org's clock at login.
    @TaskLocal static var current: CallPurpose?
}

import GRDB

/// Listens to the commits of an org and makes events of them.
enum StreamingPublisher {
    /// Readies an org that opens: the log, the settings, the object of the topics, the listener.
    static func prepare(_ state: OrgState, _ db: Database) throws {
        try EventStore.prepare(db)
        state.streaming.settings = try StreamingSettings.load(db) ?? StreamingSettings()
        if state.object(PushTopicObject.name) == nil { try state.save(PushTopicObject.definition, db) }
        state.changeListeners.append { committed, state, db in try publish(committed, state, db) }
    }

    private static func publish(_ committed: CommittedChanges, _ state: OrgState, _ db: Database) throws {
        var channels: Set<StreamChannel> = []
        try db.inSavepoint {
            channels.formUnion(try PushTopicNotices(state: state, db: db).append(committed))
            channels.formUnion(try ChangeEvents(state: state, db: db).append(committed))
            if !channels.isEmpty { try EventStore.expire(state, db) }
            return .commit
        }
        if !channels.isEmpty { BayeuxDelivery.wake(channels, state) }
    }
}

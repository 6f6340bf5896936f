#include "engine/operations/record/historyexport.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace sluice::ops {

namespace {

QByteArray field(const QString& text)
{
    QString safe = text;
    if (!safe.isEmpty() && QStringLiteral("=+-@\t\r").contains(safe.front())) {
        safe.prepend(u'\'');
    }
    safe.replace(u'"', QStringLiteral("\"\""));
    return '"' + safe.toUtf8() + '"';
}

QByteArray compact(const QJsonObject& object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QString textOf(const QJsonValue& value)
{
    if (value.isString()) {
        return value.toString();
    }
    if (value.isArray()) {
        return QString::fromUtf8(QJsonDocument(value.toArray()).toJson(QJsonDocument::Compact));
    }
    return value.isDouble() ? QString::number(value.toDouble(), 'g', 15)
                            : value.toVariant().toString();
}

void flatten(const QString& path, const QJsonObject& object, QMap<QString, QString>& into)
{
    for (auto member = object.begin(); member != object.end(); ++member) {
        const QString name = path.isEmpty() ? member.key() : QString(path % u'.' % member.key());
        if (member.value().isObject()) {
            flatten(name, member.value().toObject(), into);
        } else {
            into[name] = textOf(member.value());
        }
    }
}

} // namespace

QByteArray toCsv(const QList<HistoryEntry>& entries)
{
    QByteArray text = "id,at,actor,environment,kind,subject,outcome,details\r\n";
    for (const HistoryEntry& entry : entries) {
        text += QByteArray::number(entry.id) + ','
            + field(entry.at.toUTC().toString(Qt::ISODateWithMs));
        for (const QString& value :
            {entry.actor, entry.environment, entry.kind, entry.subject, entry.outcome}) {
            text += ',' + field(value);
        }
        text += ',' + field(QString::fromUtf8(compact(entry.details))) + "\r\n";
    }
    return text;
}

QByteArray toJson(const QList<HistoryEntry>& entries)
{
    QJsonArray all;
    for (const HistoryEntry& entry : entries) {
        all.append(QJsonObject{{QStringLiteral("id"), entry.id},
            {QStringLiteral("at"), entry.at.toUTC().toString(Qt::ISODateWithMs)},
            {QStringLiteral("actor"), entry.actor},
            {QStringLiteral("environment"), entry.environment},
            {QStringLiteral("kind"), entry.kind}, {QStringLiteral("subject"), entry.subject},
            {QStringLiteral("outcome"), entry.outcome},
            {QStringLiteral("details"), entry.details}});
    }
    return QJsonDocument(all).toJson();
}

QMap<QString, QString> flattened(const QJsonObject& details)
{
    QMap<QString, QString> found;
    flatten({}, details, found);
    return found;
}

QList<HistoryDifference> difference(const HistoryEntry& before, const HistoryEntry& after)
{
    const auto all = [](const HistoryEntry& entry) {
        QMap<QString, QString> members = flattened(entry.details);
        members[QStringLiteral("actor")] = entry.actor;
        members[QStringLiteral("environment")] = entry.environment;
        members[QStringLiteral("kind")] = entry.kind;
        members[QStringLiteral("subject")] = entry.subject;
        members[QStringLiteral("outcome")] = entry.outcome;
        return members;
    };
    const QMap<QString, QString> left = all(before);
    const QMap<QString, QString> right = all(after);
    QMap<QString, QString> names = left;
    names.insert(right);
    QList<HistoryDifference> found;
    for (auto name = names.keyBegin(); name != names.keyEnd(); ++name) {
        const QString was = left.value(*name);
        const QString is = right.value(*name);
        if (was != is || left.contains(*name) != right.contains(*name)) {
            found << HistoryDifference{*name, was, is};
        }
    }
    return found;
}

} // namespace sluice::ops

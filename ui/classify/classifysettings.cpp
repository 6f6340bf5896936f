#include "ui/classify/classifysettings.h"

#include "engine/operations/queries/datahome.h"

namespace sluice::ui {

namespace {

const QString sentKey = QStringLiteral("sent");
const QString suiteKey = QStringLiteral("suite");
const QString dataKey = QStringLiteral("data");

} // namespace

ClassifySettings::ClassifySettings(const QString& configFolder)
    : m_settings(configFolder + QStringLiteral("/classify.ini"), QSettings::IniFormat)
{ }

QStringList ClassifySettings::sent() const
{
    return m_settings.value(sentKey).toStringList();
}

void ClassifySettings::setSent(const QStringList& sent)
{
    m_settings.setValue(sentKey, sent.mid(std::max<qsizetype>(0, sent.size() - mostSent)));
}

QString ClassifySettings::suiteFile() const
{
    return m_settings.value(suiteKey, QString(ops::dataHome() + QStringLiteral("/suite.jsonl")))
        .toString();
}

void ClassifySettings::setSuiteFile(const QString& file)
{
    m_settings.setValue(suiteKey, file);
}

QString ClassifySettings::dataFile() const
{
    return m_settings.value(dataKey, QString(ops::dataHome() + QStringLiteral("/labelled.jsonl")))
        .toString();
}

void ClassifySettings::setDataFile(const QString& file)
{
    m_settings.setValue(dataKey, file);
}

} // namespace sluice::ui

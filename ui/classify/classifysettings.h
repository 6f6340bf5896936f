#pragma once

#include <QSettings>
#include <QString>
#include <QStringList>

namespace sluice::ui {

/// What this page keeps for a person between starts, in classify.ini of the console's folder.
class ClassifySettings
{
public:
    explicit ClassifySettings(const QString& configFolder);

    static constexpr int mostSent = 500;
    QStringList sent() const; ///< queries, oldest first
    void setSent(const QStringList& sent);

    QString suiteFile() const; ///< dataHome()/suite.jsonl until another is chosen
    void setSuiteFile(const QString& file);
    QString dataFile() const; ///< where labelled rows go: dataHome()/labelled.jsonl
    void setDataFile(const QString& file);

private:
    mutable QSettings m_settings;
};

} // namespace sluice::ui

"""Two notices to test with, English and French, with all the letters and apostrophes that make trouble."""

from gateway.policy.verdict import Notice

ENGLISH = Notice(
    language="en",
    text=(
        "If you choose to write to us by e-mail, please know that every message is kept\n"
        "in your file. It is not likely, but other staff may read it."
    ),
    html=(
        "<p>If you choose to write to us by e-mail, please know that every message is kept\n"
        "in your file. It is not likely, but other staff may read it.</p>"
    ),
    ascii_text=(
        "If you choose to write to us by e-mail, please know that every message is kept\n"
        "in your file. It is not likely, but other staff may read it."
    ),
)
FRENCH = Notice(
    language="fr",
    text=(
        "Si vous choisissez de nous écrire, sachez que chaque courriel est conservé\n"
        "dans votre dossier à l’agence ; d’autres employés pourraient l’y lire, où qu’il\n"
        "ait été envoyé. C’est peu probable, mais ça peut très bien arriver."
    ),
    html=(
        "<p>Si vous choisissez de nous écrire, sachez que chaque courriel est conservé\n"
        "dans votre dossier à l’agence ; d’autres employés pourraient l’y lire, où qu’il\n"
        "ait été envoyé. C’est peu probable, mais ça peut très bien arriver.</p>"
    ),
    ascii_text=(
        "Si vous choisissez de nous ecrire, sachez que chaque courriel est conserve\n"
        "dans votre dossier a l'agence ; d'autres employes pourraient l'y lire, ou qu'il\n"
        "ait ete envoye. C'est peu probable, mais ca peut tres bien arriver."
    ),
)
ENGLISH_PHRASE = "every message is kept in your file. It is not likely"
FRENCH_PHRASE = "est conservé dans votre dossier à l’agence ; d’autres employés pourraient l’y lire, où"

"""Every rule in plain words, English and French, with what can be done about it; no rule may be without words here."""

# ruff: noqa: E501  one row per rule
from __future__ import annotations

from dataclasses import dataclass

from assent.ids import RuleId


@dataclass(frozen=True, slots=True)
class RuleText:
    """One sentence of why, and of what can be done and by whom."""

    sentence: str
    remedy: str


_EN: dict[str, tuple[str, str]] = {
    # places
    "X-1": ("where this was taken or lives is not known, and unknown is closed", "State the residence in the grant, or keep the place in the photo."),
    "BC-1": ("the service is not offered to callers in British Columbia", "She can still look for herself, which is her right of access."),
    "BC-2": ("British Columbia is closed for this without a grant that fits", "Ask for an express grant of a resident there."),
    "AB-1": ("Alberta is closed for this", "A written release of a resident opens it to her own pictures, unless an order says stop; callers there can only look for themselves."),
    "QC-1": ("Quebec is closed for this", "What the law there asks for comes first: the declarations, the assessment and her express grant; callers there can only look for themselves."),
    "QC-2": ("Quebec asks for the biometric process to be declared first, and no declaration is on record", "The operator declares it to the Commission d'accès à l'information and records the reference."),
    "QC-3": ("Quebec asks for the biometric database to be declared 60 days before it serves, and that is not on record or too recent", "The operator declares it to the Commission d'accès à l'information and waits 60 days."),
    "QC-8": ("Quebec asks for a privacy impact assessment, and none is on record", "The operator makes it and records its reference in the policy."),
    "CA-1": ("the rest of Canada is closed", "An operator can open the place, with what its law asks for and two signatures."),
    "OPC-1": ("Canada asks for a record of why this is appropriate, and none is on file", "The operator writes it and records its reference in the policy."),
    "IL-2": ("Illinois asks for a written notice of purpose and term, and the grant lacks it", "Ask for a written release."),
    "IL-3": ("Illinois asks for a signed release, and the grant has none", "Ask for a signature."),
    "IL-5": ("the service is not offered to callers in Illinois", "She can still look for herself, which is her right of access."),
    "TX-1": ("Texas is closed", "An operator can open the place, with what its law asks for and two signatures."),
    "EU-10": ("the European Union is closed until an impact assessment and a representative are on record", "An operator can open the place, with what its law asks for and two signatures."),
    "UK-1": ("the United Kingdom is closed", "An operator can open the place, with what its law asks for and two signatures."),
    "AU-1": ("Australia is closed, for servers there too", "An operator can open the place, with what its law asks for and two signatures."),
    # consent
    "no_grant": ("nobody has said yes to this", "A grant must name the place, and the person must confirm it."),
    "source_not_covered": ("the grant does not name this place", "Ask for a grant that names it."),
    "place_told_later": ("a page tells since of a place in which nothing may be done with it", "It comes in again when no page tells it any more, or when the place is open."),
    "retention_over": ("nobody heard of her for longer than a place of the grant lets anything be kept", "She uses the grant, or is asked again."),
    "control_unproven": ("nobody has shown who controls this folder or account", "She approves the image on her page, or the controller proves control."),
    "grant_not_live": ("the grant was not confirmed by its subject, or is not yet in force", "She confirms it with her own secret."),
    "grant_expired": ("the grant has run out", "Saying yes again is a new grant."),
    "grant_withdrawn": ("she has withdrawn her grant", "Saying yes again is a new grant."),
    "grant_unreadable": ("the record of the grant cannot be read, and doubt denies", "The operator repairs the record."),
    "fixture_evidence": ("the grant is a fixture of the demonstration, and nobody's yes", "Ask her; only her own yes counts."),
    "operation_not_granted": ("the grant leaves this operation out", "Ask for a grant that includes it."),
    "purpose_not_allowed": ("the grant is not for this purpose", "Ask for this purpose with its own yes."),
    "recipient_not_listed": ("the grant does not name who would be told", "Ask for a grant that names the recipient."),
    "scope_not_granted": ("the grant does not reach into one of the places this may be in", "Ask for a grant that reaches there."),
    "legal_form_missing": ("the grant was not given in the form that one of the places asks for", "Ask for the form of that place."),
    "not_supported": ("comparing faces to find out who is covered is not supported", "Mark the face, or bind by single photographs."),
    "AIA-2": ("the source is not a real target", "Name a folder on one host, one account, one image or one digest."),
    "CA-2": ("the consent is not express", "Ask her; only an express yes counts."),
    "CA-3": ("that something is publicly available is no consent", "Ask her; only an express yes counts."),
    "CA-4": ("the purpose is not an allowed one there", "Ask for a purpose that is allowed there."),
    "CA-6": ("her age is not known, or the consent of a parent or guardian is missing", "Record the age band, and the guardian of a minor."),
    "EU-1": ("the grant has no evidence that shows it", "Record the evidence."),
    "EU-3": ("purposes are bundled", "Ask for each purpose with its own yes."),
    "EU-8": ("it is not recorded which notice she was shown", "Show her the notice and record its digest."),
    "IL-1": ("it is kept longer than was promised or than three years after she was last heard of", "Ask her again, for a shorter time."),
    "QC-5": ("it would be kept on after its purpose, for longer than the place allows", "Ask for an earlier end."),
    "QC-7": ("the grant lasts longer than the place allows, or lacks the offered alternative", "Ask for a shorter one."),
    "X-3": ("not everyone in the photo is covered", "Everybody in it grants, or she marks her own face."),
    "X-9": ("the purpose is forbidden everywhere", "Nothing can be done: no grant and no operator opens it."),
    # faces
    "bystander_possible": ("somebody else's face may appear under this folder, and hers is not marked", "She marks her face in this image."),
    "bystander_present": ("somebody who did not say yes is in the image", "She marks her own face, or everybody grants."),
    "several_faces": ("there is more than one face, and the grant is for photos of her alone", "She marks her face in this image."),
    "faces_overlap": ("the faces lie over each other, so that nobody can be painted out", "Send a picture in which she stands apart."),
    "region_not_found": ("no face was found where she marked hers", "She marks it again."),
    "no_face": ("no face was found", "Send a picture that shows the face clearly."),
    "not_the_subject": ("the face does not agree with the picture that she confirmed as hers", "If it is her, she confirms a clearer picture, or takes that one back."),
    "reference_missing": ("the picture that she confirmed as hers cannot be compared with any more", "She confirms another one, or takes it back."),
    "low_quality": ("the face is too small, dark or turned to make a template that means anything", "Send a larger and sharper picture."),
    # images and opt-outs
    "robots_disallow": ("the site's robots.txt says no", "Only the site can change what it says."),
    "optout_signal": ("the site, the page or the picture itself says that it is not to be used so", "Only the publisher can change what it says. Where control of the source was shown, she can set some reservations of rights aside, by name."),
    "suppressed": ("it was asked that these bytes never come back", "She can send another picture."),
    "image_unreadable": ("it is not a whole JPEG, PNG, WebP or HEIC image", "Send a whole one."),
    "image_too_large": ("the image is larger than is taken", "Send a smaller one."),
    "quarantine_expired": ("the original was gone before its turn came", "Offer it again."),
    "fetch_failed": ("it could not be fetched", "It is tried again with the next crawl."),
}  # fmt: skip

_FR: dict[str, tuple[str, str]] = {
    "X-1": ("on ne sait pas où cela se situe, et l'inconnu est fermé", "Indiquez la résidence dans l'autorisation, ou gardez le lieu dans la photo."),
    "BC-1": ("le service n'est pas offert à qui se trouve en Colombie-Britannique", "Une personne peut toujours s'y chercher elle-même : c'est son droit d'accès."),
    "BC-2": ("la Colombie-Britannique est fermée pour cela sans une autorisation qui convienne", "Demandez une autorisation expresse à une personne qui y réside."),
    "AB-1": ("l'Alberta est fermée pour cela", "L'autorisation écrite d'une personne qui y réside l'ouvre à ses propres images, sauf ordonnance ; qui s'y trouve ne peut chercher que soi-même."),
    "QC-1": ("le Québec est fermé pour cela", "Il faut d'abord ce que la loi y exige : les divulgations, l'évaluation et une autorisation expresse ; qui s'y trouve ne peut chercher que soi-même."),
    "QC-2": ("au Québec, le procédé biométrique doit d'abord être divulgué à la Commission d'accès à l'information, et rien n'est consigné", "L'exploitant le divulgue à la Commission et consigne la référence."),
    "QC-3": ("au Québec, la banque de mesures biométriques doit être divulguée à la Commission 60 jours avant sa mise en service, et cela n'est pas consigné, ou l'est depuis trop peu de temps", "L'exploitant la divulgue à la Commission d'accès à l'information et attend 60 jours."),
    "QC-8": ("le Québec exige une évaluation des facteurs relatifs à la vie privée, et aucune n'est consignée", "L'exploitant la fait et en consigne la référence dans la politique."),
    "CA-1": ("le reste du Canada est fermé", "L'exploitant peut ouvrir ce lieu, avec ce que sa loi exige et deux signatures."),
    "OPC-1": ("le Canada exige une note qui dit pourquoi cela est acceptable, et aucune n'est consignée", "L'exploitant la rédige et en consigne la référence dans la politique."),
    "IL-2": ("l'Illinois exige un avis écrit des fins et de la durée, et l'autorisation n'en a pas", "Demandez une autorisation écrite."),
    "IL-3": ("l'Illinois exige une autorisation signée, et elle ne l'est pas", "Demandez une signature."),
    "IL-5": ("le service n'est pas offert à qui se trouve en Illinois", "Une personne peut toujours s'y chercher elle-même : c'est son droit d'accès."),
    "TX-1": ("le Texas est fermé", "L'exploitant peut ouvrir ce lieu, avec ce que sa loi exige et deux signatures."),
    "EU-10": ("l'Union européenne est fermée tant qu'une analyse d'impact et un représentant ne sont pas consignés", "L'exploitant peut ouvrir ce lieu, avec ce que sa loi exige et deux signatures."),
    "UK-1": ("le Royaume-Uni est fermé", "L'exploitant peut ouvrir ce lieu, avec ce que sa loi exige et deux signatures."),
    "AU-1": ("l'Australie est fermée, aussi pour les serveurs qui s'y trouvent", "L'exploitant peut ouvrir ce lieu, avec ce que sa loi exige et deux signatures."),
    "no_grant": ("personne n'a dit oui à cela", "Une autorisation doit nommer le lieu, et la personne la confirmer."),
    "source_not_covered": ("l'autorisation ne nomme pas cet endroit", "Demandez-en une qui le nomme."),
    "place_told_later": ("une page indique depuis un lieu où l'on ne peut rien en faire", "L'image est reprise quand aucune page ne l'indique plus, ou quand ce lieu est ouvert."),
    "retention_over": ("on est sans nouvelles de la personne depuis plus longtemps qu'un lieu de l'autorisation ne permet de conserver", "La personne se sert de l'autorisation, ou on la lui demande de nouveau."),
    "control_unproven": ("personne n'a montré avoir la maîtrise de ce dossier ou de ce compte", "La personne approuve l'image sur sa page, ou le responsable montre qu'il en a la maîtrise."),
    "grant_not_live": ("l'autorisation n'a pas été confirmée, ou n'est pas encore en vigueur", "La personne la confirme avec son propre secret."),
    "grant_expired": ("l'autorisation a pris fin avec le temps", "Dire oui de nouveau est une nouvelle autorisation."),
    "grant_withdrawn": ("la personne a retiré son autorisation", "Dire oui de nouveau est une nouvelle autorisation."),
    "grant_unreadable": ("l'enregistrement de l'autorisation ne peut être lu, et le doute refuse", "L'exploitant répare l'enregistrement."),
    "fixture_evidence": ("l'autorisation est un accessoire de la démonstration et n'est le oui de personne", "Demandez à la personne ; seul son propre oui compte."),
    "operation_not_granted": ("l'autorisation omet cette opération", "Demandez-en une qui la comprend."),
    "purpose_not_allowed": ("l'autorisation n'est pas donnée pour cette fin", "Demandez un oui pour cette fin."),
    "recipient_not_listed": ("l'autorisation ne nomme pas qui serait informé", "Demandez-en une qui nomme le destinataire."),
    "scope_not_granted": ("l'autorisation ne s'étend pas à l'un des lieux possibles", "Demandez-en une qui s'y étend."),
    "legal_form_missing": ("l'autorisation n'a pas la forme qu'un des lieux exige", "Demandez la forme de ce lieu."),
    "not_supported": ("comparer des visages pour savoir qui est couvert n'est pas possible ici", "Marquez le visage."),
    "AIA-2": ("la source n'est pas une vraie cible", "Nommez un dossier, un compte, une image ou une empreinte."),
    "CA-2": ("le consentement n'est pas exprès", "Demandez-lui ; seul un oui exprès compte."),
    "CA-3": ("être accessible au public n'est pas un consentement", "Demandez-lui ; seul un oui exprès compte."),
    "CA-4": ("cette fin n'y est pas permise", "Demandez une fin qui y est permise."),
    "CA-6": ("l'âge n'est pas connu, ou le consentement du titulaire de l'autorité parentale ou du tuteur manque", "Consignez la tranche d'âge et, pour une personne mineure, le tuteur."),
    "EU-1": ("rien ne prouve l'autorisation", "Consignez la preuve."),
    "EU-3": ("plusieurs fins sont groupées", "Demandez un oui pour chaque fin."),
    "EU-8": ("l'avis qui a été montré à la personne n'est pas consigné", "Montrez-lui l'avis et consignez son empreinte."),
    "IL-1": ("c'est gardé plus longtemps que promis, ou plus de trois ans après le dernier signe de la personne", "Demandez de nouveau à la personne, pour moins longtemps."),
    "QC-5": ("ce serait gardé une fois la fin accomplie, plus longtemps que ce lieu ne le permet", "Demandez un terme plus proche."),
    "QC-7": ("l'autorisation dure plus longtemps que permis, ou il manque la solution de rechange", "Demandez-en une plus courte."),
    "X-3": ("les personnes sur la photo ne sont pas toutes couvertes", "Chacune autorise, ou la personne marque son propre visage."),
    "X-9": ("cette fin est interdite partout", "Rien n'y fait : ni autorisation ni exploitant ne l'ouvre."),
    "bystander_possible": ("le visage d'autrui peut apparaître dans ce dossier, et celui de la personne n'est pas marqué", "La personne marque son visage dans cette image."),
    "bystander_present": ("quelqu'un qui n'a pas dit oui est sur l'image", "La personne marque son propre visage, ou chacune autorise."),
    "several_faces": ("il y a plus d'un visage, et l'autorisation vaut pour des photos où la personne est seule", "La personne marque son visage dans cette image."),
    "faces_overlap": ("les visages se recouvrent, on ne peut en masquer aucun", "Envoyez une photo où la personne se tient à part."),
    "region_not_found": ("aucun visage n'a été trouvé là où la personne a marqué le sien", "La personne le marque de nouveau."),
    "no_face": ("aucun visage n'a été trouvé", "Envoyez une photo qui montre bien le visage."),
    "not_the_subject": ("le visage ne s'accorde pas avec la photo que la personne a confirmée comme la sienne", "Si c'est bien elle, elle confirme une photo plus nette, ou retire celle-là."),
    "reference_missing": ("la photo que la personne a confirmée comme la sienne ne peut plus servir de comparaison", "La personne en confirme une autre, ou la retire."),
    "low_quality": ("le visage est trop petit, sombre ou tourné pour un gabarit utile", "Envoyez une photo plus grande et plus nette."),
    "robots_disallow": ("le robots.txt du site dit non", "Seul le site peut changer ce qu'il dit."),
    "optout_signal": ("le site, la page ou l'image elle-même dit de ne pas en user ainsi", "Seul l'éditeur peut changer ce qui y est dit. Si la maîtrise de la source a été montrée, la personne peut en écarter certaines réserves de droits, en les nommant."),
    "suppressed": ("il a été demandé que ces octets ne reviennent jamais", "La personne peut envoyer une autre photo."),
    "image_unreadable": ("ce n'est pas une image JPEG, PNG, WebP ou HEIC entière", "Envoyez-en une entière."),
    "image_too_large": ("l'image est plus grande que permis", "Envoyez-en une plus petite."),
    "quarantine_expired": ("l'original n'était plus là à son tour", "Offrez-le de nouveau."),
    "fetch_failed": ("l'image n'a pas pu être chargée", "Un nouvel essai suivra à la prochaine visite."),
}  # fmt: skip

RULES = frozenset(_EN)


def rule_text(rule: RuleId, lang: str = "en") -> RuleText:
    """The words of a rule; a rule of a newer release is named as it is."""
    return RuleText(*(_FR if lang == "fr" else _EN).get(rule, (f"rule {rule} says no", "")))
